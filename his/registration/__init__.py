"""The reception desk: identity, queue numbers, insurance card check (tiếp đón)."""
