"""Read-only figures for management (quản trị bệnh viện)."""
