"""Output of WikiExtractor, plain (`<doc id=... title=...>`) or JSON: articles with their links, where it kept them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from pipeline.readers.head import Head
from pipeline.readers.part import Part
from pipeline.readers.reader_errors import MALFORMED, NOT_JSON, UNREADABLE, letter
from pipeline.readers.registry import Format
from pipeline.readers.streams.compression import Damage
from pipeline.readers.streams.encoding import utf8_chunks
from pipeline.readers.streams.lines import Line, lines
from schemas import Document, Intake, Mention
from schemas.text.clean import clean, one_line
from schemas.text.segmentation import align, segment

_DOC = re.compile(r'<doc id="([^"]*)"(?:\s+revid="([^"]*)")?\s+url="([^"]*)"\s+title="(.*)"[^">]*>\s*')
_LINK = re.compile(r"""<a href=(["'])(.*?)\1[^<>]*>(.*?)</a>""", re.DOTALL)
_MARKUP = re.compile(r"</?(?:a|b|i|u|h\d|li|ul|ol|p|br|strong|em|templatestyles)(?:\s[^<>]*)?/?>")
_FIELDS = {"id", "url", "title", "text"}


def read_wikiextractor(part: Part) -> Iterator[Intake]:
    """Yield the articles of a file; between `<doc ...>` and `</doc>`, or one JSON object a line."""
    source = part.source
    start: Line | None = None
    body: list[str] = []
    last = 0
    for line in lines(utf8_chunks(Path(part.path))):
        if isinstance(line, Damage):
            yield letter(source, f"behind line {last}", UNREADABLE, line.message)
            start, body = None, []
            continue
        last = line.number
        text = line.data.decode("utf-8", "replace").removeprefix("\ufeff")
        if text.startswith("<doc "):
            if start:
                yield _open_ended(source, start)
            start, body = line, []
        elif start and text.rstrip() == "</doc>":
            yield _plain(start, body, source)
            start = None
        elif start:
            body.append(text)
        elif text.startswith("{"):
            yield _json(text, f"line {line.number}", source)
        elif text.strip():
            yield letter(source, f"line {line.number}", "text outside of <doc>", f"{text[:80]!r}: put it into a <doc>")
    if start:
        yield _open_ended(source, start)


def _open_ended(source: str, start: Line) -> Intake:
    return letter(source, f"line {start.number}", UNREADABLE, "<doc> has no end: extract the file again")


def _plain(start: Line, body: list[str], source: str) -> Intake:
    match = _DOC.match(start.data.decode("utf-8", "replace").removeprefix("\ufeff"))
    if not match:
        return letter(source, f"line {start.number}", MALFORMED, "<doc> must have the attributes id, url and title")
    number, revision, url, title = map(unescape, map(str, (match[1], match[2] or "", match[3], match[4])))
    return _document(one_line(title), "\n".join(body), {"page": number, "revision": revision, "url": url}, source)


def _json(text: str, place: str, source: str) -> Intake:
    try:
        record: Any = json.loads(text)
        title, words = record["title"], record["text"]
    except (ValueError, RecursionError) as error:
        return letter(source, place, NOT_JSON, f"not JSON ({error}): extract the file again")
    except KeyError as error:
        return letter(source, place, f"no field {error.args[0]}", "an article has the fields id, url, title and text")
    if not isinstance(title, str) or not isinstance(words, str):
        return letter(source, place, MALFORMED, "title and text of an article are texts")
    about = {"page": "id", "revision": "revid", "url": "url"}
    return _document(one_line(title), words, {key: str(record.get(name, "")) for key, name in about.items()}, source)


def _document(title: str, text: str, about: dict[str, str], source: str) -> Document:
    pieces: list[str] = []
    links: dict[tuple[int, int], str] = {}
    at = length = 0
    # Angle brackets of the text are escaped unless WikiExtractor was asked to leave them.
    text = unescape(clean(text)).strip()
    text = text.removeprefix(title).lstrip() if text.partition("\n")[0].strip() == title else text
    for match in _LINK.finditer(text):
        for piece in (text[at : match.start()], match[3]):
            pieces.append(_MARKUP.sub("", piece))
            length += len(pieces[-1])
        target = one_line(unquote(match[2]).replace("_", " ").partition("#")[0])
        if pieces[-1].strip() and target and "://" not in target:
            links[length - len(pieces[-1]), length] = target[:1].upper() + target[1:]
        at = match.end()
    pieces.append(_MARKUP.sub("", text[at:]))
    text = "".join(pieces)
    breaks = [match.end() for match in re.finditer(r"\n+", text)]
    tokens, sentences = segment(text, links, breaks)
    mentions = []
    for (start, end), target in sorted(links.items()):
        if span := align(tokens, start, end):
            mentions.append(Mention(*span, kb_ids=(f"wiki:{target}",)))
    return Document(
        id=f"wiki:{title}",
        source=source,
        title=title,
        text=text,
        tokens=tokens,
        sentences=sentences,
        mentions=tuple(mentions),
        metadata=tuple(sorted((key, one_line(value)) for key, value in about.items() if value)),
    )


def _recognise(head: Head) -> bool:
    if head.text.startswith("<doc id="):
        return True
    if not head.text.startswith("{"):
        return False
    first = head.text.partition("\n")[0]
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and record.keys() >= _FIELDS and "wiki" in str(record["url"])


FORMAT = Format("wikiextractor", read_wikiextractor, _recognise, public_ids=True)
