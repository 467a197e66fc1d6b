"""The main journey through a real browser, and what survives when a part is killed."""
