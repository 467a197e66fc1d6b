"""Clients of outside systems; plain data in and out, no tables (cổng kết nối)."""
