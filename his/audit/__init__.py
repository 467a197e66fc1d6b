"""What was done and what was looked at: append-only, tamper-evident (nhật ký)."""
