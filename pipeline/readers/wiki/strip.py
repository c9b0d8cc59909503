"""Takes out of wikitext what is not prose: comments, references, formulas, templates and tables, in linear time."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipeline.readers.scripts import with_scripts
from pipeline.readers.wiki.tables import without_tables
from pipeline.readers.wiki.templates import Templates, name_of, show

# Elements that go with their content.
_DROPPED = (
    "ref|references|math|chem|ce|gallery|timeline|score|syntaxhighlight|source|pre|graph|imagemap|hiero|inputbox|"
    "templatestyles|templatedata|mapframe|maplink|categorytree|includeonly|section|indicator|charinsert|style|script"
)
_ELEMENT = re.compile(rf"<!--|<(/?)({_DROPPED}|nowiki)(?=[\s/>])([^<>]*)>", re.IGNORECASE)
_ENDS = {
    "!--": re.compile("-->"),
    **{name: re.compile(rf"</{name}\s{{0,9}}>", re.IGNORECASE) for name in (*_DROPPED.split("|"), "nowiki")},
}
# A formula without commands reads like text.
_PLAIN_FORMULA = {
    "math": re.compile(r"[\w\s=+\-−.,()<>/^*'%:]{1,60}"),
    "chem": re.compile(r"[A-Za-z0-9()+\-−^ ]{1,60}"),
    "ce": re.compile(r"[A-Za-z0-9()+\-−^ ]{1,60}"),
}
_NOTHING = "&#8203;"  # parts signs of markup, and is dropped as invisible
_SIGNS = re.compile(r"[\[\]{}|'<>=*_]")
_BRACES = re.compile(r"\{\{+|\}\}+")
_LONGEST = 20_000  # characters of a template that shows words
_DEEPEST = 12  # templates around one that shows words
_SHORT = 400  # characters of a template that may be part of a sentence
_UNCLOSED = "\0"  # where a template begins that never ends; the text has no such sign of its own
# Its name and its parameters: whole lines of them, or what hangs together on its own line.
_PARAMETERS = re.compile(
    r"""
    \0+ (?:
        [ \t]*\w[^|\n\0{}\[\]]{0,80} \n (?:[ \t]*\|[^\n\0]*(?:\n|\Z))+
      | [ \t]*\w[^|\n\0{}\[\].]{0,80} (?:\|[^|\s\0]*)+
    )?
    """,
    re.VERBOSE,
)
# Forms of a word for several scripts, and rules for them that show nothing.
_VARIANT = re.compile(r"-\{(?:[^{}|\n]{0,40}\|)?([^{}\n]{0,200})\}-")
_HIDDEN_VARIANT = re.compile(r"-\{[ \t]*[THDN-]{1,3}[ \t]*\|[^{}\n]{0,200}\}-")
# What is left of brackets around templates.
_HOLE = re.compile(r"\((?:(?:[ \t,;:]|&nbsp;)*\)|[ \t]*[,;:][ \t,;:]*)")
_ENTITY = re.compile(r"&#?\w{1,31};\Z")


@dataclass(frozen=True)
class Stripped:
    """Wikitext without what is not prose.

    Attributes:
        text: wikitext of paragraphs, lists, headings and links.
        left_out: number of templates in sentences whose words, if they have any, are lost.
        disambiguation: whether a template says that this is a disambiguation page.
    """

    text: str
    left_out: int
    disambiguation: bool


def strip(wikitext: str, templates: Templates) -> Stripped:
    """Return the wikitext without comments, references, formulas, templates and tables.

    Templates that stand for words (`{{convert|5|km}}`, `{{lang|fr|chat}}`) leave those words, and `<nowiki>` leaves its
    content with every sign of markup as a character reference.
    """
    text = _without_elements(wikitext)
    if "-{" in text:
        text = _VARIANT.sub(_variant, _HIDDEN_VARIANT.sub("", text))
    text, left_out, disambiguation = _without_templates(text, templates)
    text = with_scripts(without_tables(text))
    return Stripped(_HOLE.sub(lambda hole: "" if hole[0][-1] == ")" else "(", text), left_out, disambiguation)


def _without_elements(text: str) -> str:
    kept: list[str] = []
    at = 0
    endless: set[str] = set()  # elements that never end from here on, so that nobody looks for their ends again
    while match := _ELEMENT.search(text, at):
        kept.append(text[at : match.start()])
        at = match.end()
        name = (match[2] or "!--").lower()
        if match[1] or (match[3] and match[3].endswith("/")) or name in endless:
            if name == "nowiki":
                kept.append(_NOTHING)
            continue
        close = _ENDS[name].search(text, at)
        if close is None:
            endless.add(name)
            continue
        if name == "nowiki":
            kept.append(_SIGNS.sub(lambda sign: f"&#{ord(sign[0])};", text[at : close.start()]))
        elif name in _PLAIN_FORMULA and _PLAIN_FORMULA[name].fullmatch(text, at, close.start()):
            kept.append(text[at : close.start()])
        at = close.end()
    kept.append(text[at:])
    return "".join(kept)


def _variant(match: re.Match[str]) -> str:
    """Return the first of the forms of a word that a wiki with several scripts gives: `-{zh-hans:A; zh-hant:B}-`."""
    first = match[1].partition(";")[0]
    return first.partition(":")[2] or first


def _without_templates(text: str, templates: Templates) -> tuple[str, int, bool]:
    """Return the text with the words of templates, the number of those lost, and whether it is a disambiguation."""
    out: list[str] = []
    opened: list[tuple[int, int, int]] = []  # braces still open, where in `out` and in `text` they stand
    at = left_out = 0
    disambiguation = False
    for match in _BRACES.finditer(text):
        out.append(text[at : match.start()])
        at = match.end()
        count = at - match.start()
        if match[0][0] == "{":
            opened.append((count, len(out), at))
            continue
        while count > 1 and opened:
            open_count, index, begin = opened.pop()
            taken = 3 if open_count > 2 and count > 2 else 2
            shown = ""
            if taken == 2:
                name = name_of(text, begin)
                form = templates.known(name)
                if form is not None and match.start() - begin < _LONGEST and len(opened) < _DEEPEST:
                    shown = show(form, "".join(out[index:]))
                elif not opened and templates.is_disambiguation(name):
                    disambiguation = True
            del out[index:]
            if not shown:
                if out and text[at : at + 1] in ",.;:)":
                    out[-1] = _end(out[-1], text[at : at + 1])
                if taken == 2 and not opened and not templates.is_silent(name) and _in_sentence(out, text, begin, at):
                    left_out += 1
            out.append(shown)
            count -= taken
            if open_count - taken > 1:
                opened.append((open_count - taken, index, begin))
    out.append(text[at:])
    for count, index, _ in opened:
        if count > 1:
            out[index] = f"{_UNCLOSED}{out[index]}"
    whole = "".join(out)
    return (_PARAMETERS.sub("", whole) if opened else whole), left_out, disambiguation


def _end(text: str, sign: str) -> str:
    """Return the end of a text in front of a sign without blanks, and in front of a bracket without commas."""
    text = text.rstrip(" ")
    while sign == ")" and text[-1:] in (",", ";", ":") and not _ENTITY.search(text, max(0, len(text) - 40)):
        text = text[:-1].rstrip(" ")
    return text


def _in_sentence(out: list[str], text: str, begin: int, end: int) -> bool:
    """Say whether a template from `begin` to `end` of the text is short and has words on its line."""
    if end - begin > _SHORT or "\n" in text[begin:end]:
        return False
    before = "".join(out[-3:]).rpartition("\n")[2]
    after = text[end : end + 40].partition("\n")[0]
    return any(map(str.isalnum, before)) or after.lstrip(" ,.;:")[:1].isalpha()
