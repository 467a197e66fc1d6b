"""A paperless hospital information system for Vietnamese public hospitals."""
