"""Takes out of wikitext what is not prose: comments, references, formulas, templates and tables, in linear time."""

from __future__ import annotations

import re

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
_SIGNS = re.compile(r"[\[\]{}|'<>=*_]")
_BRACES = re.compile(r"\{\{+|\}\}+")
_TABLE = re.compile(r"^[ \t:*#]*(?:(\{\|)|\|\})", re.MULTILINE)
_HEADING = re.compile(r"^==", re.MULTILINE)
_PIPE = re.compile(r"\|(?![^\[\]|]{0,200}\]\])")
_SHORT = 1000  # characters; a longer template is a box, not part of a sentence

# Templates that show their first parameter.
_TRANSPARENT = {
    "nowrap", "nobr", "small", "smaller", "big", "sc", "smallcaps", "abbr", "tooltip", "nihongo", "ill",
    "interlanguage link", "flag", "flagcountry", "sup", "sub", "linktext", "val", "keypress", "vanchor", "angbr",
    "nts", "dts", "lang-xx",
}  # fmt: skip

# Templates that stand for words of a sentence, with what they show: {1} is the first parameter.
_SHOWN = {
    **dict.fromkeys(_TRANSPARENT, "{1}"),
    **dict.fromkeys(["lang", "transl", "transliteration"], "{2}"),
    **dict.fromkeys(["uss", "hms", "hmcs", "hmas", "ss", "rms"], "{0} {1}"),
    **dict.fromkeys(["convert", "cvt"], "{1} {2}"),
    **dict.fromkeys(["circa", "c."], "c. {1}"),
    **dict.fromkeys(["frac", "fraction", "sfrac"], "{1}/{2}"),
    **dict.fromkeys(["ndash", "en dash", "–"], "–"),
    **dict.fromkeys(["snd", "spaced ndash", "spnd"], " – "),
    **dict.fromkeys(["mdash", "em dash", "—"], "—"),
    **dict.fromkeys(["nbsp", "space", "spaces", "·", "•", "pipe"], " "),
    "as of": "As of {1}",
    "'s": "'s",
    "'": "'",
}
_RANGE_WORDS = {"to", "-", "–", "and", "or", "x", "by", "&"}
_HOLE = re.compile(r"\((?:[ \t,;:]|&nbsp;)*\)|(?<=\()(?:[ \t]*[,;:])+[ \t]*|(?<=[ \t])[ \t]+")


def strip(wikitext: str) -> str:
    """Return the wikitext without comments, references, formulas, templates and tables.

    Short templates that stand for words (`{{convert|5|km}}`, `{{lang|fr|chat}}`) leave those words, and `<nowiki>`
    leaves its content with every sign of markup as a character reference.
    """
    return _HOLE.sub("", _without_tables(_without_templates(_without_elements(wikitext))))


def _without_elements(text: str) -> str:
    kept: list[str] = []
    at = 0
    endless: set[str] = set()  # elements that never end from here on, so that nobody looks for their ends again
    while match := _ELEMENT.search(text, at):
        kept.append(text[at : match.start()])
        at = match.end()
        name = (match[2] or "!--").lower()
        if match[1] or (match[3] and match[3].endswith("/")) or name in endless:
            continue
        close = _ENDS[name].search(text, at)
        if close is None:
            endless.add(name)
            continue
        if name == "nowiki":
            kept.append(_SIGNS.sub(lambda sign: f"&#{ord(sign[0])};", text[at : close.start()]))
        at = close.end()
    kept.append(text[at:])
    return "".join(kept)


def _without_templates(text: str) -> str:
    out: list[str] = []
    opened: list[tuple[int, int, int]] = []  # braces still open, where in `out` and in `text` they stand
    at = 0
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
            if taken == 2 and match.start() - begin < _SHORT:
                shown = _show("".join(out[index:]))
            del out[index:]
            if not shown and out and text[at : at + 1] in ",.;:)":
                out[-1] = out[-1].rstrip(" ")
            out.append(shown)
            count -= taken
            if open_count - taken > 1:
                opened.append((open_count - taken, index, begin))
    out.append(text[at:])
    return "".join(out)


def _show(inner: str) -> str:
    """Return the words that a template stands for, mostly none."""
    name, *parameters = _PIPE.split(inner)
    name = name.strip().lower().replace("_", " ")
    if name.startswith("formatnum:"):
        return name.removeprefix("formatnum:")
    pattern = _SHOWN.get("lang-xx" if name.startswith("lang-") else name)
    if pattern is None:
        return ""
    values = [name.upper(), *(value.strip() for value in parameters if not re.match(r"\s*[A-Za-z_-]+\s*=", value))]
    if name in ("convert", "cvt") and len(values) > 4 and values[2] in _RANGE_WORDS:
        pattern = "{1} {2} {3} {4}"
    return pattern.format(*values, *[""] * 4)


def _without_tables(text: str) -> str:
    kept: list[str] = []
    depth = at = begin = 0
    for match in _TABLE.finditer(text):
        if match[1]:
            if depth == 0:
                begin = match.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                kept.append(text[at:begin])
                at = match.end()
    if depth:
        # A table that never ends reaches to the next heading.
        heading = _HEADING.search(text, begin)
        kept.append(text[at:begin])
        at = heading.start() if heading else len(text)
    kept.append(text[at:])
    return "".join(kept)
