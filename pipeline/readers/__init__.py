"""Readers of source files, free of Beam: every record becomes a document, a dead letter or a counted skip."""

from pipeline.readers.formats import FORMATS, ID_PREFIXES, UnknownFormat, read, read_path, sniff, split
from pipeline.readers.head import Head
from pipeline.readers.part import Part
from pipeline.readers.registry import Format, register, registered, unregister
from schemas.text.segmentation import align, segment

__all__ = [
    "FORMATS",
    "ID_PREFIXES",
    "Format",
    "Head",
    "Part",
    "UnknownFormat",
    "align",
    "read",
    "read_path",
    "register",
    "registered",
    "segment",
    "sniff",
    "split",
    "unregister",
]
