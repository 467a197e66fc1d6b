"""Electronic prescriptions: safety, signing, sending (đơn thuốc điện tử)."""
