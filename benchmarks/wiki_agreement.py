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
from mwparserfromhell.nodes import Node, Tag, Text, Wikilink
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

    def share(self, counts: Counter[str]) -> float:
        """Return the agreement as F1: twice what both have over the sum of what each has."""
        return 2 * counts["both"] / (counts["theirs"] + counts["ours"])


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
    texts: list[str] = []
    targets: list[str] = []
    left_out = 0  # level of the section behind the text that is being left out, or 0
    for section in mwparserfromhell.parse(wikitext).get_sections(flat=True, include_lead=True):
        for heading in section.filter_headings():
            if not left_out or heading.level <= left_out:
                title = heading.title.strip_code().strip().lower()
                left_out = heading.level if title in APPENDICES else 0
            section.remove(heading)
        if not left_out:
            _collect(section, texts, targets)
            texts.append("\n")
    return "".join(texts), targets


def _collect(code: Wikicode, texts: list[str], targets: list[str]) -> None:
    for node in code.nodes:
        if isinstance(node, Text):
            texts.append(str(node))
        elif isinstance(node, Wikilink):
            _link(node, texts, targets)
        elif isinstance(node, Tag):
            _tag(node, texts, targets)
        else:
            texts.append(_stripped(node))


def _link(node: Wikilink, texts: list[str], targets: list[str]) -> None:
    target = str(node.title)
    if _HIDDEN.match(target.lower()):
        return
    label = node.text if node.text is not None else node.title
    name = " ".join(target.partition("#")[0].replace("_", " ").split())
    if name and not re.match(r":|[A-Za-z ]+:(?! )", name):
        targets.append(name[:1].upper() + name[1:])
    texts.append(label.strip_code())


def _tag(node: Tag, texts: list[str], targets: list[str]) -> None:
    name = str(node.tag).strip().lower()
    if name in _LEFT_OUT or node.contents is None:
        texts.append(" " if name in ("br", "li", "dd", "dt", "hr") else "")
        return
    _collect(node.contents, texts, targets)


def _stripped(node: Node) -> str:
    stripped = node.__strip__(normalize=True, collapse=True, keep_template_params=False)
    return "" if stripped is None else str(stripped)
