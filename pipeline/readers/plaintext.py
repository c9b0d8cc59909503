"""Plain text: a file is a document."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.readers.other_files import looks_like_text
from pipeline.readers.part import Part
from pipeline.readers.registry import Format
from pipeline.readers.streams.encoding import decode
from pipeline.readers.whole_file import read_whole
from schemas import Document, Intake, content_hash
from schemas.text.clean import clean, one_line
from schemas.text.segmentation import segment

LIMIT = 1 << 24  # bytes of a file, which may hold four a character


def read_text(part: Part) -> Iterator[Intake]:
    """Yield the document of a text file in UTF-8, UTF-16 or UTF-32 with a byte order mark, or one byte a letter.

    Its title is the name of the file without its endings. What can be read of a damaged file is a document, too.
    """
    too_long = f"the text is larger than {LIMIT} bytes: split it into files of one document each"
    data = yield from read_whole(part, LIMIT, too_long)
    if data is None:
        return
    decoded = decode(data)
    text = clean(decoded.text)
    tokens, sentences = segment(text)
    id = f"text:{part.source}#{content_hash('text', text)[:12]}"
    name = part.source.rpartition("/")[2]
    title = one_line(name.partition(".")[0].replace("_", " ")) or name
    metadata = []
    if decoded.encoding != "utf-8":
        metadata.append(("encoding", decoded.encoding))
    if decoded.undecodable:
        metadata.append(("undecodable bytes", str(decoded.undecodable)))
    yield Document(id, part.source, title, text, tokens, sentences, metadata=tuple(metadata))


FORMAT = Format("text", read_text, looks_like_text)
