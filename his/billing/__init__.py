"""Prices at date, charges, the split between payers, settlements and receipts (viện phí, thu ngân)."""
