"""Files that often lie among sources and are none: what they look like, and what to do with them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from pipeline.readers.head import Head

_CONVERT = "convert it to text, HTML or JSON Lines first"
_MAGIC = (
    (b"\x89PNG", "an image"),
    (b"\xff\xd8\xff", "an image"),
    (b"GIF8", "an image"),
    (b"II*\0", "an image"),
    (b"MM\0*", "an image"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "a PostScript document"),
    (b"OggS", "a sound file"),
    (b"ID3", "a sound file"),
    (b"fLaC", "a sound file"),
    (b"RIFF", "a sound or video file"),
    (b"Rar!", "a RAR archive"),
    (b"ORC", "an ORC table"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1", "an Arrow file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x80\x04\x95", "a Python pickle"),
)
_WITHOUT_NUL = (b"{\\rtf", b"%!PS")  # the others begin binary files, and could be words of a text
_TAR_MAGIC = (257, b"ustar")
_PDF_WITHIN = 1024  # bytes; some have a line before the first of their own
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MOST_CONTROL = 0.1  # share of control characters above which a file is no text
_LEAST_LETTERS = 0.6  # share of letters and blanks in prose

_SQL = re.compile(
    r"(?:--[^\n]*\n|/\*.*?\*/;?|\s)*"
    r"(?:CREATE\s+(?:TABLE|DATABASE|INDEX|VIEW|TEMP|SCHEMA)|INSERT\s+(?:INTO|IGNORE)|REPLACE\s+INTO|DROP\s+TABLE"
    r"|LOCK\s+TABLES|ALTER\s+TABLE|SET\s+[@\w]+\s*=|PRAGMA\s+\w+|BEGIN(?:\s+TRANSACTION)?;|COPY\s+\w+)",
    re.DOTALL,
)
_CHECKSUM = re.compile(r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})[ \t]+\*?\S[^\t]*", re.I)
_INDEX = re.compile(r"\d+:\d+:\S.*")
_TITLES = re.compile(r"(?:page_namespace\t)?page_title\s*$")
_JATS_INSIDE = re.compile(r"<(?:article-meta|journal-meta|front|article-title|front-stub)[\s>]")
_JATS_ROOTS = {"article", "pmc-articleset", "pmc_articleset", "OAI-PMH", "articles"}
_BIOC_INSIDE = re.compile(r"<passage[\s>]")
_BIOC_JSON = re.compile(r'"passages"\s*:\s*\[')
_PASSAGE_JSON = re.compile(r'"(?:infons|offset)"\s*:')


class Other(NamedTuple):
    """Something that is no source: what it looks like, and the way out."""

    looks_like: str
    remedy: str
    is_text: bool = True  # whether it can be read as a text, if that is wanted


# First lines of texts that are for programs, and what they look like.
_FOR_PROGRAMS = (
    (r"PMID ?- ?\d+\s*\n(?:[A-Z]{2,4} *- )", "PubMed's text format", "export PubMed XML"),
    (r"TY  - [A-Z]+\s*\n", "RIS references", "export PubMed XML, or write a reader (docs/how-to/add-a-reader.md)"),
    (r"(?:\s|%[^\n]*\n)*@(?:article|book|inproceedings|misc|comment|string|phdthesis)\s*\{", "BibTeX", "leave it out"),
    (r"(?:\s|%[^\n]*\n)*\\document(?:class|style)\b", "LaTeX", "convert it to text or HTML, for example with pandoc"),
    (r"[TREAMN]\d+\t\w+[ \t]", "brat annotations", "give the same documents as PubTator or DocRED"),
    (r"(?:\d+\s*\n)?\d\d:\d\d:\d\d[,.]\d{3} --> \d\d:\d\d|WEBVTT\b", "subtitles", "leave it out"),
    (r"From \S+@\S+ |(?:Return-Path|Received|Delivered-To|Message-ID): ", "e-mail", "save the texts of the messages"),
    (r"#!\s*/", "a script", "leave it out"),
    (r"BEGIN:V(?:CARD|CALENDAR)\b", "contacts or a calendar", "leave it out"),
    (r"@prefix\s+\w*:\s*<|(?:<[^<>\s]+>\s+){2}[<\"]", "RDF", "leave it out"),
)
_PROGRAMS = re.compile("|".join(f"(?P<k{n}>{pattern})" for n, (pattern, _, _) in enumerate(_FOR_PROGRAMS)), re.I)
_CODE = frozenset(
    """
    .py .js .ts .java .c .h .cc .cpp .hpp .cs .go .rs .rb .php .pl .sh .r .m .scala .kt .swift .lua .sql .css .scss .bat
    .ps1 .ipynb .cypher .yaml .yml .toml .ini .cfg .conf .properties .lock .log .bib .xsd .dtd .xsl
    """.split()  # noqa: SIM905
)


def other_file(head: Head) -> Other | None:
    """Return what a file is that no format reads, or None; asked before the formats, so it must be certain."""
    for kind in (_binary, _dump_companion, _biomedical, _for_programs):
        if found := kind(head):
            return found
    return None


def unrecognised_file(head: Head) -> Other | None:
    """Return what a file is that no format but plain text could take, by its markup or its name, or None."""
    if head.suffix in _CODE:
        return Other("source code, settings or a log", f"leave it out (its name ends in {head.suffix})")
    if head.root:
        name = head.root[:40]
        return Other(
            f"XML with the root <{name}>",
            "convert it to a format that is, or write a reader (docs/how-to/add-a-reader.md)",
        )
    return None


def _binary(head: Head) -> Other | None:
    data = head.data
    if b"%PDF-" in data[:_PDF_WITHIN]:
        return Other("PDF", "extract its text first, for example with pdftotext", False)
    for magic, name in _MAGIC:
        if data.startswith(magic) and (b"\0" in data or magic in _WITHOUT_NUL):
            return Other(name, _CONVERT if "document" in name else "leave it out", False)
    if data[_TAR_MAGIC[0] :].startswith(_TAR_MAGIC[1]):
        return Other("a tar archive", "unpack it first and give the folder", False)
    if data.startswith((b"\x1f\x8b\x08", b"\xfd7zXZ", b"(\xb5/\xfd")):
        return Other("a file that is packed twice", "unpack it once", False)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None  # UTF-16 and UTF-32
    # Half of the bytes of UTF-16 without a byte order mark are NUL: each second one of Latin letters.
    if data and len(_CONTROL.findall(data)) > _MOST_CONTROL * len(data):
        return Other("binary data", "leave it out, or convert a text in UTF-16 to UTF-8", False)
    return None


def _dump_companion(head: Head) -> Other | None:
    if _SQL.match(head.text):
        return Other("SQL", "export the texts as JSON Lines, CSV or Parquet")
    lines = head.lines
    if not lines:
        return None
    if _TITLES.match(lines[0]):
        return Other("a list of titles", "give the dump with the pages")
    tests: tuple[tuple[Callable[[str], object], Other], ...] = (
        (_CHECKSUM.fullmatch, Other("a list of checksums", "leave it out")),
        (_INDEX.fullmatch, Other("the index of a multistream dump", "give the dump alone")),
    )
    return next((other for test, other in tests if all(map(test, lines))), None)


def _biomedical(head: Head) -> Other | None:
    text = head.text
    if head.root in _JATS_ROOTS and _JATS_INSIDE.search(text):
        remedy = "give PubMed XML of the same articles, or their text as JSON Lines with id and text"
        return Other("JATS full text", remedy)
    remedy = "give the same documents as PubTator"
    if head.root == "collection" and _BIOC_INSIDE.search(text):
        return Other("BioC XML", remedy)
    if text.startswith(("{", "[")) and _BIOC_JSON.search(text) and _PASSAGE_JSON.search(text):
        return Other("BioC JSON", remedy)
    return None


def _for_programs(head: Head) -> Other | None:
    if match := _PROGRAMS.match(head.text):
        kind = next(int(name[1:]) for name, found in match.groupdict().items() if found is not None)
        return Other(*_FOR_PROGRAMS[kind][1:])
    return None


def looks_like_text(head: Head) -> bool:
    """Tell whether a file is prose, that is mostly letters and blanks, or named as a text."""
    if head.suffix in (".txt", ".text", ".md", ".rst", ".asc"):
        return True
    text = head.text
    # Marks of vowels in Indian scripts are no letters, and punctuation of other scripts does not speak against prose.
    letters = sum(
        sign.isalpha() or sign.isspace() or (sign > "\x7f" and sign != "\ufffd")  # U+FFFD: bytes of no text
        for sign in text
    )
    return letters >= _LEAST_LETTERS * len(text)
