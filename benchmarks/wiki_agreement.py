"""Agreement of our text of Wikipedia articles with that of mwparserfromhell: words in order, and links.

mwparserfromhell is made to leave out what our text leaves out on purpose: headings, tables, files, categories, links to
other languages, and the sections behind the text, such as References. It knows no templates, so the words of templates
are ours alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher

import mwparserfromhell
from mwparserfromhell.nodes import Heading, Node, Tag, Text, Wikilink
from mwparserfromhell.wikicode import Wikicode

APPENDICES = {
    "see also", "references", "external links", "notes", "footnotes", "further reading", "bibliography", "sources",
    "citations", "notes and references", "references and notes", "works cited", "general references",
    "literature cited",
}  # fmt: skip
_WORD = re.compile(r"\w+")
_HIDDEN = re.compile(
    r"\s*(?:file|image|category)\s*:|\s*(?:[a-z]{2,3}|simple|be-x-old|zh-[a-z-]+|bat-smg|roa-rup)\s*:[^ ]"
)
_LEFT_OUT = {"table", "ref", "references", "gallery", "math", "timeline", "syntaxhighlight", "source", "pre", "score"}
_CONTEXT = 6  # words around a difference


@dataclass
class Agreement:
    """Counts over articles.

    Attributes:
        articles: number of articles.
        words: words of the other side, of ours, and of both in the same order.
        links: links to pages of the other side, of ours, and of both.
        differences: what differs, as text of both sides with its context.
    """

    articles: int = 0
    words: Counter[str] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)
    differences: list[str] = field(default_factory=list)


def compare(articles: Iterator[tuple[str, str]], ours: Callable[[str], tuple[str, list[str]]]) -> Agreement:
    """Return the agreement over articles, given as title and wikitext; `ours` gives our text and targets of links."""
    found = Agreement()
    for title, wikitext in articles:
        text, targets = ours(wikitext)
        their_text, their_targets = plain(wikitext)
        words, their_words = _WORD.findall(text), _WORD.findall(their_text)
        matcher = SequenceMatcher(None, [word.lower() for word in their_words], [word.lower() for word in words], False)
        found.articles += 1
        found.words += Counter(
            theirs=len(their_words), ours=len(words), both=sum(block.size for block in matcher.get_matching_blocks())
        )
        both = Counter(targets) & Counter(their_targets)
        found.links += Counter(theirs=len(their_targets), ours=len(targets), both=both.total())
        for kind, a, b, c, d in matcher.get_opcodes():
            if kind != "equal":
                before = " ".join(their_words[max(0, a - _CONTEXT) : a])
                after = " ".join(their_words[b : b + _CONTEXT])
                theirs, mine = " ".join(their_words[a:b]), " ".join(words[c:d])
                found.differences.append(f"{title}: {before} [theirs: {theirs}] [ours: {mine}] {after}")
    return found


def plain(wikitext: str) -> tuple[str, list[str]]:
    """Return the text and the targets of the links of an article by mwparserfromhell."""
    walk = _Walk()
    walk.nodes(mwparserfromhell.parse(wikitext))
    return "".join(walk.texts), walk.targets


class _Walk:
    """Goes through an article; a heading may be inside an element that mwparserfromhell takes to go on too far."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.targets: list[str] = []
        self._left_out = 0  # level of the section that is being left out, or 0

    def nodes(self, code: Wikicode) -> None:
        for node in code.nodes:
            if isinstance(node, Heading):
                self._heading(node)
            elif isinstance(node, Tag):
                self._tag(node)
            elif self._left_out:
                continue
            elif isinstance(node, Wikilink):
                self._link(node)
            else:
                self.texts.append(str(node) if isinstance(node, Text) else _stripped(node))

    def _heading(self, heading: Heading) -> None:
        if not self._left_out or heading.level <= self._left_out:
            title = heading.title.strip_code().strip().lower()
            self._left_out = heading.level if title in APPENDICES else 0
        self.texts.append("\n")

    def _link(self, node: Wikilink) -> None:
        target = str(node.title)
        if _HIDDEN.match(target.lower()):
            return
        label = node.text if node.text is not None else node.title
        name = " ".join(target.partition("#")[0].replace("_", " ").split())
        if name and not re.match(r":|[A-Za-z ]+:(?! )", name):
            self.targets.append(name[:1].upper() + name[1:])
        self.texts.append(label.strip_code())

    def _tag(self, node: Tag) -> None:
        name = str(node.tag).strip().lower()
        if name in _LEFT_OUT or node.contents is None:
            self.texts.append(" " if name in ("br", "li", "dd", "dt", "hr") else "")
        else:
            self.nodes(node.contents)


def _stripped(node: Node) -> str:
    stripped = node.__strip__(normalize=True, collapse=True, keep_template_params=False)
    return "" if stripped is None else str(stripped)
