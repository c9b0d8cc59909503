"""Readers of source files, free of Beam: every record becomes a document, a dead letter or a counted skip."""
