"""MediaWiki XML: pages of the main namespace, with their links as given mentions, and redirects."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from html import unescape
from pathlib import Path

from lxml import etree

from pipeline.readers.head import Head
from pipeline.readers.language import canonical
from pipeline.readers.part import Part
from pipeline.readers.reader_errors import UNREADABLE, WrongRecord, letter, rejected
from pipeline.readers.registry import Format
from pipeline.readers.streams.xmlrecords import Broken, parse, parse_prolog, read_prolog, xml_records
from pipeline.readers.wiki.text import Prose, read_wikitext
from pipeline.readers.wiki.titles import Kind, Site
from schemas import Document, Intake, Mention, Redirect, Section, Skipped
from schemas.text.clean import one_line
from schemas.text.segmentation import align, segment

ROOTS = ("mediawiki", "page")
_NAMESPACE = re.compile(r"""<(?:[\w.-]+:)?namespace\s[^<>]*?key=["'](-?\d+)["'][^<>]*>([^<>]*)</""")
_LANGUAGE = re.compile(r"""<(?:[\w.-]+:)?mediawiki\s[^<>]*?xml:lang=["']([\w-]+)["']""")
_DATABASE = re.compile(r"<(?:[\w.-]+:)?dbname>([a-z_]+?)(?:wiki|wiktionary|wikisource|wikinews|wikivoyage)\w*</")
_CATEGORY = re.compile(r"\[\[([^\[\]|:\n]{1,60}:[^\[\]|\n]{1,250})")
_END = 5000  # characters at the end of a page, where its categories are
_WIKIDATA = re.compile(
    r"\{\{\s*(?:authority control|taxonbar)\s*\|[^{}]{0,300}?\b(?:qid|from1?)\s*=\s*(Q\d+)", re.IGNORECASE
)
_LONGEST_NAME = 100  # characters of a name that is looked for in the lead


def read_mediawiki(part: Part) -> Iterator[Intake]:
    """Yield the pages of a dump: documents, redirects, and skips for what is not an article."""
    source = part.source
    try:
        prolog = read_prolog(Path(part.path), ROOTS)
    except WrongRecord as error:
        yield rejected(source, "beginning of the file", error)
        return
    site = _site(prolog.text)
    if not part.start and prolog.text.strip() and not prolog.text.lstrip("\ufeff \t\r\n").startswith("<"):
        detail = "the file begins inside a page, which is lost: fetch the part of the dump before it, too"
        yield letter(source, "beginning of the file", UNREADABLE, detail)
    for item in xml_records(part, ("page",), prolog):
        if isinstance(item, Broken):
            yield letter(source, item.place, UNREADABLE, item.message)
            continue
        try:
            yield _page(parse(item.data, prolog.namespaces), source, site)
        except WrongRecord as error:
            yield rejected(source, item.place, error)


def _site(prolog: str) -> Site:
    """Return what the header of the dump says of its wiki."""
    names = {unescape(name).strip().lower(): int(key) for key, name in _NAMESPACE.findall(prolog)}
    language = _LANGUAGE.search(prolog) or _DATABASE.search(prolog)
    code = canonical(language[1]) if language else ""
    return Site(names, first_letter="<case>case-sensitive</case>" not in prolog, language=code)


def _page(page: etree._Element, source: str, site: Site) -> Intake:
    fields: dict[str, etree._Element] = {}
    revisions: list[dict[str, etree._Element]] = []
    for child in page:
        name = etree.QName(child).localname
        if name == "revision":
            revisions.append({etree.QName(part).localname: part for part in child})
        else:
            fields[name] = child
    title = one_line(_text(fields, "title").replace("_", " "))
    if not title:
        raise WrongRecord("page without title: give it one or leave it out", "page without title")
    prefix, colon, _ = title.partition(":")
    namespace = _text(fields, "ns").strip() or str((site.namespace(prefix) if colon else 0) or 0)
    if namespace != "0":
        return Skipped(source, f"page of namespace {namespace}")
    name = site.title(title) or title
    if "redirect" in fields and (target := fields["redirect"].get("title", "")):
        return _redirect(name, target, source, site)
    if not revisions:
        return Skipped(source, "page without revision")
    # Timestamps of a dump sort as texts; of equal ones the later in the file counts.
    revision = max(reversed(revisions), key=lambda parts: _text(parts, "timestamp"))
    model = _text(revision, "model") or "wikitext"
    if model != "wikitext":
        return Skipped(source, f"content model {one_line(model)}")
    wikitext = _text(revision, "text")
    if match := site.words.redirection.match(wikitext):
        return _redirect(name, match[1], source, site)
    if not wikitext.strip():
        return Skipped(source, "page without text")
    prose = read_wikitext(wikitext, site)
    if not prose.text:
        return Skipped(source, "page without prose")
    return _document(name, source, title, prose, fields, revision, wikitext, site)


def _redirect(name: str, target: str, source: str, site: Site) -> Redirect | Skipped:
    kind, title = site.link(target)
    if kind is not Kind.PAGE:
        return Skipped(source, "redirect to a page that is not an article")
    return Redirect(alias=f"wiki:{name}", target=f"wiki:{title}", source=source)


def _lists_pages(title: str, prose: Prose, wikitext: str, site: Site) -> bool:
    """Say whether this is a disambiguation page, by its template, its title or its categories."""
    if prose.disambiguation or site.words.lists_pages(title):
        return True
    categories = map(site.category, _CATEGORY.findall(wikitext[-_END:]))
    return any(site.words.lists_pages_by_category(name) for name in categories if name)


def _document(
    name: str,
    source: str,
    title: str,
    prose: Prose,
    fields: dict[str, etree._Element],
    revision: dict[str, etree._Element],
    wikitext: str,
    site: Site,
) -> Document:
    spans = {(link.start, link.end): link.target for link in prose.links}
    disambiguation = _lists_pages(title, prose, wikitext, site)
    if not disambiguation:
        spans = {**dict.fromkeys(_subject(title, prose), name), **spans}
    tokens, sentences = segment(prose.text, spans, prose.paragraphs, site.language)
    mentions = []
    for (first, last), target in sorted(spans.items()):
        if span := align(tokens, first, last):
            mentions.append(Mention(*span, kb_ids=(f"wiki:{target}",)))
    metadata = {("page", _text(fields, "id")), ("revision", _text(revision, "id"))}
    metadata |= {("timestamp", _text(revision, "timestamp")), ("language", site.language)}
    if prose.left_out:
        metadata.add(("templates left out", str(prose.left_out)))
    if undecodable := prose.text.count("\ufffd"):
        metadata.add(("undecodable bytes", str(undecodable)))
    if disambiguation:
        metadata.add(("disambiguation", "yes"))
    if match := _WIKIDATA.search(wikitext):
        metadata.add(("wikidata", match[1]))
    digits = (
        re.sub(r"[^0-9]", "", _text(revision, "timestamp"))[:14] or re.sub(r"[^0-9]", "", _text(revision, "id"))[:18]
    )
    return Document(
        id=f"wiki:{name}",
        source=source,
        title=title,
        text=prose.text,
        tokens=tokens,
        sentences=sentences,
        mentions=tuple(mentions),
        sections=tuple(Section(heading, bisect_left(tokens, (start, 0))) for heading, start in prose.headings),
        metadata=tuple(sorted((key, one_line(value)) for key, value in metadata if value)),
        version=int(digits or 0),
    )


def _subject(title: str, prose: Prose) -> Iterator[tuple[int, int]]:
    """Yield where the lead names the subject of the page itself: its title, or a name that stands there in bold."""
    taken = {offset for link in prose.links if link.start < prose.lead for offset in range(link.start, link.end)}
    names = {prose.text[start:end].strip(" ,;:.()\"'") for start, end in prose.bold}
    names.add(re.sub(r"\s*\([^()]*\)$", "", title))
    # A name of one or two letters, such as that of the letter A, stands for other things as well.
    names = {name for name in names if 2 < len(name) <= _LONGEST_NAME}
    if not names:
        return
    choice = "|".join(re.escape(name) for name in sorted(names, key=lambda name: (-len(name), name)))
    for match in re.finditer(rf"(?<!\w)(?:{choice})(?!\w)", prose.text[: prose.lead]):
        if not taken.intersection(range(*match.span())):
            yield match.span()


def _text(parts: dict[str, etree._Element], name: str) -> str:
    element = parts.get(name)
    return "" if element is None else element.text or ""


# A slice of a dump may begin in the middle of a page.
_NEXT_PAGE = re.compile(r"</revision>\s*</page>|</page>\s*<page>")


def _recognise(head: Head) -> bool:
    if head.root:
        return head.root in ROOTS or bool(parse_prolog(head.data, ROOTS[:1]).root)
    return bool(_NEXT_PAGE.search(head.text))


FORMAT = Format("mediawiki", read_mediawiki, _recognise, splittable=True, public_ids=True)
