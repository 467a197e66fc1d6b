"""The performance record of the house: `make bench`."""
