"""Plain text: a file is a document."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import UNREADABLE, letter
from pipeline.readers.streams.compression import Damage, chunks
from schemas import Document, Intake, content_hash
from schemas.text.clean import clean, one_line
from schemas.text.segmentation import segment

LIMIT = 1 << 26  # bytes of a document

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def read_text(part: Part) -> Iterator[Intake]:
    """Yield the document of a text file in UTF-8, or in UTF-16 with a byte order mark; other bytes become U+FFFD.

    Its title is the name of the file without its endings. What can be read of a damaged file is a document, too.
    """
    data = bytearray()
    for chunk in chunks(Path(part.path)):
        if isinstance(chunk, Damage):
            yield letter(part.source, f"byte {len(data)}", UNREADABLE, chunk.message)
            break
        if isinstance(chunk, bytes):
            data += chunk
        if len(data) > LIMIT:
            detail = f"the text is larger than {LIMIT} bytes: split it into files of one document each"
            yield letter(part.source, "file", UNREADABLE, detail)
            return
    encoding = next((name for mark, name in _MARKS.items() if data.startswith(mark)), "utf-8")
    text = clean(data.decode(encoding, "replace"))
    tokens, sentences = segment(text)
    id = f"text:{part.source}#{content_hash('text', text)[:12]}"
    title = one_line(part.source.partition(".")[0].replace("_", " ")) or part.source
    yield Document(id, part.source, title, text, tokens, sentences)
