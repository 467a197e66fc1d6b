"""Claims to the health insurer: the claim files, the rows in them, their checks, export and sending."""
