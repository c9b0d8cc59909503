"""Linking: what the entities of documents stand for, found in the corpus itself."""
