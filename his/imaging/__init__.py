"""Imaging work list, reports, release (chẩn đoán hình ảnh)."""
