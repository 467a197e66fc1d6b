"""Users, roles, staff, sessions, proof of identity (tài khoản)."""
