"""Laboratory work list, results by index, release (xét nghiệm)."""
