"""Records of an XML file, cut out of the byte stream one by one and parsed alone.

A file is never parsed as a whole: a record that is broken cannot take the others with it, reading may begin in the
middle of a file, memory holds one record, and an entity declared in the prolog means nothing inside a record, so
neither entity bombs nor external entities have an effect.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from lxml import etree

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import REFUSED, WrongRecord
from pipeline.readers.streams.compression import Chunk, Damage, EndOfRange, chunks, head

LIMIT = 1 << 27  # bytes of one record
HEAD = 1 << 16  # bytes in which the prolog ends

_TAIL = 128  # bytes kept where nothing was found: more than any tag that is looked for
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_ENCODING = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]+)["']""")
_NAMESPACE = re.compile(r"""xmlns:[\w.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*')""")
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,9}));")


@dataclass(frozen=True)
class Prolog:
    """What the beginning of an XML file says.

    Attributes:
        text: the beginning of the file.
        encoding: encoding of the file.
        root: local name of the root element, empty if it is none of those looked for.
        prefix: namespace prefix of the root element with its colon, or empty.
        namespaces: the declarations of namespace prefixes in the root element.
        declares_entities: whether the document type declares entities; such files are refused.
    """

    text: str
    encoding: str
    root: str
    prefix: str
    namespaces: str
    declares_entities: bool


class XmlRecord(NamedTuple):
    """The bytes of one element, and where it begins."""

    data: bytes
    place: str


class Broken(NamedTuple):
    """A record that cannot be cut out, or the place where the file breaks."""

    place: str
    message: str


def read_prolog(path: Path, roots: tuple[str, ...]) -> Prolog:
    """Return what the first bytes of an XML file say; `roots` are the root elements to look for.

    Raises:
        WrongRecord: the encoding is unknown, or the document type declares entities, which is refused.
        OSError: the file cannot be read.
    """
    prolog = parse_prolog(head(path, HEAD), roots)
    if prolog.declares_entities:
        message = "the document type declares entities, which can blow up or fetch files: leave the declarations out"
        raise WrongRecord(message, REFUSED)
    return prolog


def parse_prolog(data: bytes, roots: tuple[str, ...]) -> Prolog:
    """Return what the first bytes of an XML file say.

    Raises:
        WrongRecord: the encoding is unknown.
    """
    encoding = "utf-8"
    mark = next(((mark, name) for mark, name in _MARKS if data.startswith(mark)), None)
    if mark:
        data, encoding = data.removeprefix(mark[0]), mark[1]
    elif match := _ENCODING.match(data.lstrip()):
        encoding = match[1].decode("ascii").lower()
    try:
        text = data.decode(encoding, "replace")
    except LookupError:
        message = f"unknown encoding {encoding!r} in the XML declaration: convert the file to UTF-8"
        raise WrongRecord(message, "unknown encoding") from None
    root = re.search(rf"<(?:([\w.-]{{1,40}}):)?({'|'.join(roots)})(?=[\s/>])([^<>]*)", text)
    return Prolog(
        text=text,
        encoding=encoding,
        root=root[2] if root else "",
        prefix=f"{root[1]}:" if root and root[1] else "",
        namespaces=" ".join(_NAMESPACE.findall(root[3])) if root else "",
        declares_entities="<!ENTITY" in (text[: root.start()] if root else text),
    )


def _to_utf8(stream: Iterator[Chunk], encoding: str) -> Iterator[Chunk]:
    """Yield the stream in UTF-8; bytes that the encoding does not know become U+FFFD."""
    if encoding in ("utf-8", "utf8", "us-ascii", "ascii"):
        yield from stream
        return
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    for chunk in stream:
        yield decoder.decode(chunk).encode("utf-8", "replace") if isinstance(chunk, bytes) else chunk


def parse(data: bytes, namespaces: str) -> etree._Element:
    """Parse one record; bytes and characters that XML does not allow become U+FFFD.

    Raises:
        WrongRecord: the record is not well-formed or refers to an entity.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True, remove_comments=True, remove_pis=True
    )
    before, after = f"<r {namespaces}>".encode(), b"</r>"
    try:
        return etree.fromstring(before + data + after, parser)[0]
    except etree.XMLSyntaxError:
        text = _ILLEGAL.sub("\ufffd", data.decode("utf-8", "replace"))
        repaired = _REFERENCE.sub(_legal_reference, text).encode()
        try:
            return etree.fromstring(before + repaired + after, parser)[0]
        except etree.XMLSyntaxError as error:
            raise WrongRecord(f"not well-formed XML: {error.msg}", "not well-formed XML") from None


def _legal_reference(match: re.Match[str]) -> str:
    code = int(match[1], 16) if match[1] else int(match[2])
    legal = code <= 0x10FFFF and not _ILLEGAL.match(chr(code))
    return match[0] if legal else "\ufffd"


def xml_records(part: Part, names: tuple[str, ...], prolog: Prolog) -> Iterator[XmlRecord | Broken]:
    """Yield the elements with the given local names that begin in the part, in order.

    Elements inside such an element are not looked for. An element whose end is missing gives one `Broken`, and
    reading goes on with the next one.
    """
    scanner = _Scanner(names, prolog, part.start)
    for chunk in _to_utf8(chunks(Path(part.path), part.start, part.end), prolog.encoding):
        if isinstance(chunk, EndOfRange):
            scanner.end_of_range()
        elif isinstance(chunk, Damage):
            yield from scanner.damage(chunk.message)
        else:
            yield from scanner.feed(chunk)
        if scanner.done:
            return
    yield from scanner.end()


class _Scanner:
    """Looks for elements in a growing buffer and looks at every byte only a few times."""

    def __init__(self, names: tuple[str, ...], prolog: Prolog, start: int | None) -> None:
        prefix = re.escape(prolog.prefix)
        self._prefix = prolog.prefix.encode()
        self._begin = re.compile(rf"<{prefix}({'|'.join(names)})(?:\s{{0,9}}/>|(?=[\s/>]))".encode())
        self._inside = {
            name.encode(): re.compile(
                rf"(</{prefix}{name}\s{{0,9}}>)|(<{prefix}{name}(?=[\s/>]))|<!--|<!\[CDATA\[".encode()
            )
            for name in names
        }
        known = prolog.root and prolog.root not in names
        self._root_end = f"</{prolog.prefix}{prolog.root}".encode() if known else None
        self._wanted: tuple[str, ...] = (
            () if prolog.root or start else names
        )  # which elements a file without a known root must have
        self._start = start
        self._buffer = bytearray()
        self._base = 0  # offset of the buffer in the decompressed stream
        self._line = 1  # line on which the buffer begins
        self._at = 0  # where to look on in the buffer
        self._open = b""  # name of the element that the buffer begins with
        self._skimming = True  # whether it still may be a simple one
        self._until = b""  # end of the comment or CDATA section in it
        self._limit: int | None = None  # offset from which on elements belong to the next range
        self.done = False

    def end_of_range(self) -> None:
        self._limit = self._base + len(self._buffer)

    def feed(self, chunk: bytes) -> Iterator[XmlRecord | Broken]:
        self._buffer += chunk
        yield from self._elements()
        if len(self._buffer) > LIMIT:
            yield Broken(self._place(), f"<{self._open.decode()}> is larger than {LIMIT} bytes: leave it out")
            self._restart()

    def damage(self, message: str) -> Iterator[Broken]:
        if self._open or self._limit is None:
            yield Broken(self._place(0 if self._open else len(self._buffer)), message)
        self._restart()
        self._root_end, self._wanted = None, ()  # that something is missing is known already

    def end(self) -> Iterator[Broken]:
        if self._open:
            yield Broken(self._place(), f"the file ends before the end of <{self._open.decode()}>: fetch it again")
        elif self._wanted:
            names = " or ".join(f"<{name}>" for name in self._wanted[:2])
            yield Broken("beginning of the file", f"there is no {names} in the file: is it of another format?")
        elif self._root_end and self._root_end not in self._buffer:
            place = self._place(len(self._buffer))
            yield Broken(place, f"the file ends without {self._root_end.decode()}>: fetch it again")

    def _elements(self) -> Iterator[XmlRecord | Broken]:
        """Yield the elements that the buffer holds to their end, and drop them from it."""
        while True:
            if not self._open:
                yield from self._enter()
                if not self._open:
                    return
            end = self._skim() if self._skimming else 0
            if end == 0 and not self._skimming:
                end = self._search()
            if end == 0:
                return
            if end > 0:
                yield XmlRecord(bytes(self._buffer[:end]), self._place())
            else:
                yield Broken(self._place(), f"<{self._open.decode()}> has no end before the next one begins")
            self._open = b""
            self._drop(abs(end))

    def _enter(self) -> Iterator[XmlRecord]:
        """Drop what stands before the next element; elements without content are yielded at once."""
        while match := self._begin.search(self._buffer, self._at):
            self._wanted = ()
            name, start, end, empty = match[1], match.start(), match.end(), match[0].endswith(b"/>")
            if self._limit is not None and self._base + start >= self._limit:
                self.done = True
                return
            self._drop(start)
            if not empty:
                self._open, self._at, self._skimming = name, end - start, True
                return
            yield XmlRecord(bytes(self._buffer[: end - start]), self._place())
            self._drop(end - start)
        if self._root_end and self._root_end in self._buffer:
            self._root_end = None
        self._drop(max(0, len(self._buffer) - _TAIL))
        self.done = self._limit is not None and self._base >= self._limit

    def _skim(self) -> int:
        """Return the end of a simple element, or 0 if the buffer does not hold it or the element is not simple.

        Most are simple. One with a comment, a CDATA section or another beginning in it is not.
        """
        name = self._prefix + self._open
        found = self._buffer.find(b"</" + name + b">", self._at)
        if found == -1:
            self._at = max(self._at, len(self._buffer) - _TAIL)
            return 0
        signs = (b"<" + name, b"<!--", b"<![CDATA[")
        self._skimming = all(self._buffer.find(sign, 1, found) == -1 for sign in signs)
        self._at = len(name) + 1
        return found + len(name) + 3 if self._skimming else 0

    def _search(self) -> int:
        """Return the end of the element, or minus the beginning of the next one, or 0 if the buffer holds neither."""
        while True:
            if self._until:
                found = self._buffer.find(self._until, self._at)
                if found == -1:
                    self._at = max(self._at, len(self._buffer) - len(self._until))
                    return 0
                self._at, self._until = found + len(self._until), b""
            match = self._inside[self._open].search(self._buffer, self._at)
            if match is None:
                self._at = max(self._at, len(self._buffer) - _TAIL)
                return 0
            if match[1]:
                return match.end()
            if match[2]:
                return -match.start()
            self._at, self._until = match.end(), b"-->" if match[0] == b"<!--" else b"]]>"

    def _place(self, at: int = 0) -> str:
        offset = self._base + at
        if self._start:
            return f"byte {offset} from byte {self._start} of the file on"
        return f"line {self._line + self._buffer.count(10, 0, at)}, byte {offset}"

    def _drop(self, count: int) -> None:
        self._line += self._buffer.count(10, 0, count)
        self._base += count
        del self._buffer[:count]
        self._at = 0

    def _restart(self) -> None:
        self._open = self._until = b""
        self._drop(len(self._buffer))
