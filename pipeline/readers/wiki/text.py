"""Wikitext to plain text with its links, sections and the names in bold, in one pass and linear time."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, auto
from html import unescape
from typing import NamedTuple

from pipeline.readers.wiki.apostrophes import with_literal_apostrophes
from pipeline.readers.wiki.strip import strip
from pipeline.readers.wiki.templates import templates
from pipeline.readers.wiki.titles import Kind, Site
from schemas.text.clean import clean, visible

_HEADING = re.compile(r"^=[^\n]*=[ \t]*$", re.MULTILINE)
_BLOCK_TAGS = "p|li|ul|ol|dl|dt|dd|div|blockquote|center|poem|hr|table|tr|td|th|caption|tbody|h[1-6]"
_INLINE_TAGS = (
    "br|span|small|big|sub|sup|b|i|u|s|em|strong|code|tt|var|samp|kbd|cite|q|abbr|font|del|ins|strike|bdi|bdo|dfn|mark|"
    "ruby|rb|rt|rp|rtc|wbr|time|data|noinclude|onlyinclude|includeonly|nowiki|ref|references|a|img|section|gallery|pre"
)
# Letters behind a link that belong to its words, in any language that parts words by blanks.
_TRAIL = "a-zß-öø-žа-яёђєіїјљњћўґء-يپچژکگی\u1ea1-\u1ef9"
# Every alternative begins with a certain sign, so that the search skips quickly what is no markup.
_MARKUP = re.compile(
    rf"""
      \[\[
    | \]\][{_TRAIL}]*                                                           # [[cat]]s
    | \[(?:(?:https?:|ftp:|news:|irc:)?//|mailto:)[^\s\[\]<>"]*[ \t]*
    | \]
    | ''+
    | <(?i:/?(?P<block>{_BLOCK_TAGS})(?=[\s/>]))[^<>]*>
    | <(?i:/?(?P<inline>{_INLINE_TAGS})(?=[\s/>]))[^<>]*>
    | <!--|-->
    | \n(?:[ \t]*+\n)*+[ \t]*+(?:[*\#:;]++|\|[-}}+]?|----+)?
    | __[A-Z]{{3,25}}__ | \{{\{{+ | \}}\}}+ | \{{\|
    """,
    re.VERBOSE,
)


class _Mark(Enum):
    BREAK = auto()
    BOLD = auto()


class _Label(NamedTuple):
    text: str
    target: str


class Link(NamedTuple):
    """A link to a page of the main namespace: character offsets of its words, and the title it points to."""

    start: int
    end: int
    target: str


@dataclass
class Prose:
    """The text of a page.

    Attributes:
        text: paragraphs and list items, separated by blank lines.
        links: links in order.
        headings: title of a section and the offset of the first character below it.
        paragraphs: offsets at which paragraphs begin.
        bold: character spans in bold in the first paragraph.
        lead: end of the text before the first heading.
        left_out: number of templates in sentences whose words, if they have any, are lost.
        disambiguation: whether a template says that this is a disambiguation page.
    """

    text: str = ""
    links: list[Link] = field(default_factory=list)
    headings: list[tuple[str, int]] = field(default_factory=list)
    paragraphs: list[int] = field(default_factory=list)
    bold: list[tuple[int, int]] = field(default_factory=list)
    lead: int = 0
    left_out: int = 0
    disambiguation: bool = False


def read_wikitext(wikitext: str, site: Site) -> Prose:
    """Return the prose of a page; sections such as References and External links are left out."""
    bare = strip(clean(wikitext), templates(site.language))
    stripped = "\n" + with_literal_apostrophes(bare.text)  # so that every line begins with a line break
    writer = _Writer(Prose(left_out=bare.left_out, disambiguation=bare.disambiguation))
    at = 0
    level = 0  # of the appendix that is being left out, or 0
    for match in _HEADING.finditer(stripped):
        if not level:
            writer.write(_scan(stripped[at : match.start()], site))
        at = match.end()
        line = match[0].strip()
        depth = min(len(line) - len(line.lstrip("=")), len(line) - len(line.rstrip("=")), 6)
        title = _plain(line[depth:-depth], site) if len(line) > 2 * depth else ""
        if not level or depth <= level:
            level = depth if site.words.is_appendix(title) else 0
        if not level:
            writer.heading(title)
    if not level:
        writer.write(_scan(stripped[at:], site))
    return writer.finish()


def _plain(wikitext: str, site: Site) -> str:
    """Return the words of one line of wikitext."""
    writer = _Writer(Prose())
    writer.write(_scan(wikitext, site))
    return writer.finish().text.replace("\n\n", " ")


def _scan(text: str, site: Site) -> list[str | _Label | _Mark]:
    """Return the words, links and marks of wikitext without headings, in order."""
    out: list[str | _Label | _Mark] = []
    opened: list[tuple[int, int]] = []  # where in `out` a link begins, and what `nested` was then
    line_ends: dict[int, int] = {}  # where in `out` the line of an open link to a file ends, by where the link begins
    nested = 0  # links and breaks so far: a link with one inside is none
    external = False
    at = 0
    for match in _MARKUP.finditer(text):
        if match.start() > at:
            out.append(text[at : match.start()])
        at = match.end()
        markup = match[0]
        if markup == "[[":
            opened.append((len(out), nested))
        elif markup[0] == "]" and markup != "]":
            if opened:
                begin, before = opened.pop()
                nested += _close(out, begin, before != nested, markup[2:], site)
            else:
                out.append(markup[2:])
        elif markup[0] == "\n":
            external = False
            is_blank = markup.count("\n") > 1
            is_break = is_blank or markup[-1] not in " \t\n"
            if opened:
                opened = _unclosed(out, opened, line_ends, is_break, is_blank, site)
            if not is_break:
                out.append(" ")
            else:
                out.append(_Mark.BREAK)
                nested += 1
        elif markup[0] == "'":
            out.append("'" * (1 if len(markup) == 4 else max(0, len(markup) - 5)))
            if len(markup) > 2:
                out.append(_Mark.BOLD)
        elif markup[0] == "[":
            external = True
        elif markup == "]":
            out.append("" if external else "]")
            external = False
        elif match["block"]:
            out.append(_Mark.BREAK)
            nested += 1
        elif match["inline"] and match["inline"].lower() == "br":
            out.append(" ")
    out.append(text[at:])
    if opened:
        _unclosed(out, opened, line_ends, True, True, site)
    return out


def _close(out: list[str | _Label | _Mark], begin: int, nested: bool, trail: str, site: Site) -> bool:
    """Put the link that begins at `out[begin]` in place of its pieces; say whether one was put."""
    if nested:
        if _is_hidden(out, begin, site):
            del out[begin:]
        out.append(trail)
        return False
    inner = "".join(piece for piece in out[begin:] if isinstance(piece, str))
    del out[begin:]
    target, pipe, label = inner.replace("&#124;", "|").partition("|")
    kind, title = site.link(target)
    if kind is Kind.HIDDEN:
        out.append(trail)
        return False
    if pipe:
        label = label.rpartition("|")[2].strip() or re.sub(r"\s*\([^()]*\)$", "", target.rpartition(":")[2])
    else:
        label = target.strip().removeprefix(":")
    out.append(_Label(label + trail, title))
    return True


def _unclosed(
    out: list[str | _Label | _Mark],
    opened: list[tuple[int, int]],
    line_ends: dict[int, int],
    is_break: bool,
    is_blank: bool,
    site: Site,
) -> list[tuple[int, int]]:
    """Return the links that may be closed behind the end of a line.

    The caption of a file may go on over lines and lists; if it is not closed before a blank line, its first line is
    dropped. Other links end with their paragraph or list item, and leave their words if they are not closed.
    """
    index = next((index for index, (begin, _) in enumerate(opened) if _is_hidden(out, begin, site)), None)
    if index is None:
        return [] if is_break else opened
    begin = opened[index][0]
    line_end = line_ends.setdefault(begin, len(out))
    if not is_blank:
        return opened[: index + 1] if is_break else opened
    del out[begin:line_end]
    return []


def _is_hidden(out: list[str | _Label | _Mark], begin: int, site: Site) -> bool:
    """Say whether a link that begins at `out[begin]` leaves nothing in the text."""
    first = out[begin] if begin < len(out) else ""
    return isinstance(first, str) and ":" in first and site.link(first.partition("|")[0])[0] is Kind.HIDDEN


class _Writer:
    """Puts pieces together, collapses white space and keeps count of offsets."""

    def __init__(self, prose: Prose) -> None:
        self._prose = prose
        self._parts: list[str] = []
        self._length = 0
        self._blank = False  # a blank is due before the next words
        self._break = True  # a paragraph begins with the next words
        self._headings: list[str] = []  # those that wait for the next words
        self._lead = True
        self._bold: int | None = None

    def heading(self, title: str) -> None:
        if self._lead:
            self._prose.lead, self._lead = self._length, False
        self._break = True
        self._headings.append(title)

    def write(self, pieces: list[str | _Label | _Mark]) -> None:
        for piece in pieces:
            if piece is _Mark.BREAK:
                self._break = True
                self._bold = None
            elif piece is _Mark.BOLD:
                self._toggle_bold()
            elif isinstance(piece, _Label):
                start, end = self._words(piece.text)
                if piece.target and end > start:
                    self._prose.links.append(Link(start, end, piece.target))
            elif isinstance(piece, str) and piece:
                self._words(piece)
        self._break = True
        self._bold = None

    def finish(self) -> Prose:
        if self._lead:
            self._prose.lead = self._length
        self._prose.text = "".join(self._parts)
        return self._prose

    def _toggle_bold(self) -> None:
        if not self._lead or len(self._prose.paragraphs) > 1:
            return
        if self._bold is None:
            self._bold = self._length
        else:
            if self._length > self._bold:
                self._prose.bold.append((self._bold, self._length))
            self._bold = None

    def _words(self, raw: str) -> tuple[int, int]:
        """Write the words of a piece; return their character offsets."""
        text = clean(unescape(raw)) if "&" in raw else raw
        if not text.isascii():
            text = visible(text)
        words = " ".join(text.split())
        if not words:
            self._blank = self._blank or bool(text)
            return self._length, self._length
        if self._break:
            if self._length:
                self._add("\n\n")
            self._prose.paragraphs.append(self._length)
            self._prose.headings.extend((title, self._length) for title in self._headings)
            self._headings.clear()
        elif self._blank or text[0].isspace():
            self._add(" ")
        start = self._length
        self._add(words)
        self._break, self._blank = False, text[-1].isspace()
        return start, self._length

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)
