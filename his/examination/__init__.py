"""Vital signs, examination notes, diagnoses, conclusion of the visit (khám bệnh)."""
