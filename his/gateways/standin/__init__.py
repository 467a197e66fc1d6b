"""Stand-in servers of the outside systems, for tests and the demo; never in production."""
