"""Small source files for the tests, and what every reader must keep."""

from __future__ import annotations

import bz2
from collections import Counter
from pathlib import Path

from pipeline.readers import Part, read, split
from schemas import DeadLetter, Document, Intake, Skipped, decode, encode, problems

SITE = """<siteinfo><case>first-letter</case><namespaces>
<namespace key="6" case="first-letter">File</namespace><namespace key="14" case="first-letter">Category</namespace>
<namespace key="1" case="first-letter">Talk</namespace><namespace key="0" case="first-letter" />
</namespaces></siteinfo>"""


def page(title: str, text: str, ns: int = 0, extra: str = "", number: int = 1) -> str:
    return (
        f"<page><title>{title}</title><ns>{ns}</ns><id>{number}</id>{extra}<revision><id>{number}0</id>"
        f"<timestamp>2020-01-02T03:04:05Z</timestamp><model>wikitext</model><text>{text}</text></revision></page>\n"
    )


def dump(*pages: str) -> str:
    return '<mediawiki xml:lang="en">\n' + SITE + "\n" + "".join(pages) + "</mediawiki>\n"


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    return path


def read_all(path: Path, format: str | None = None) -> list[Intake]:
    """Read a file and check what holds for every record of every reader."""
    items = [item for part in split(path, format) for item in read(part)]
    check(items)
    return items


def read_part(path: Path, format: str) -> list[Intake]:
    items = list(read(Part(str(path), format)))
    check(items)
    return items


def check(items: list[Intake]) -> None:
    for item in items:
        assert decode(encode(item), type(item)) == item
        if isinstance(item, Document):
            assert problems(item) == []
            assert item.tokens
        if isinstance(item, DeadLetter):
            assert item.document_id and item.reason and item.detail and item.stage == "read"


def documents(items: list[Intake]) -> list[Document]:
    return [item for item in items if isinstance(item, Document)]


def letters(items: list[Intake]) -> list[DeadLetter]:
    return [item for item in items if isinstance(item, DeadLetter)]


def counts(items: list[Intake]) -> dict[str, int]:
    """Return how many records there are of each kind, skips and dead letters by reason."""
    return dict(
        Counter(item.reason if isinstance(item, Skipped | DeadLetter) else type(item).__name__ for item in items)
    )


def multistream(head: str, groups: list[str], tail: str) -> bytes:
    return b"".join(bz2.compress(piece.encode()) for piece in (head, *groups, tail))
