"""Codes, names, prices and rules lists, each row with the days it is valid (danh mục)."""
