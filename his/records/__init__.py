"""Patients, visits, coverage, allergies, and the assembled record (hồ sơ bệnh án, lượt khám)."""
