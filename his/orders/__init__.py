"""Orders for laboratory and imaging and their state (phiếu chỉ định)."""
