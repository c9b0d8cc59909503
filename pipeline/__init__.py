"""Beam transforms: read, extract, merge, write."""
