"""The dispensing counter (cấp phát thuốc)."""
