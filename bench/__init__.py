"""Measurements: what `make bench` runs and writes down. Nothing here is asserted in a test."""
