"""The invented demo hospital: staff, rooms, prices, stock and a morning of patients in every state."""
