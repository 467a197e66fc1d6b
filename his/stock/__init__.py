"""The ledger of drugs and supplies by lot: movements, reservations (kho dược)."""
