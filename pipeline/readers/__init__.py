"""Readers of source files, free of Beam: every record becomes a document, a dead letter or a counted skip."""

from pipeline.readers.formats import FORMATS, UnknownFormat, read, read_path, sniff, split
from pipeline.readers.part import Part
from schemas.text.segmentation import align, segment

__all__ = ["FORMATS", "Part", "UnknownFormat", "align", "read", "read_path", "segment", "sniff", "split"]
