"""The paper engine: forms, stored bytes with digest, signatures, public check (in ấn, chữ ký)."""
