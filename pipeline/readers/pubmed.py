"""PubMed and MEDLINE XML: titles and abstracts with their MeSH headings, and removals."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from pipeline.readers.head import Head
from pipeline.readers.language import canonical
from pipeline.readers.part import Part
from pipeline.readers.reader_errors import UNREADABLE, WrongRecord, letter, rejected
from pipeline.readers.registry import Format
from pipeline.readers.streams.xmlrecords import Broken, parse, parse_prolog, read_prolog, xml_records
from schemas import Document, Intake, Removal, Section, Skipped
from schemas.text.clean import one_line
from schemas.text.segmentation import segment

ROOTS = ("MedlineCitationSet", "PubmedArticleSet", "PubmedArticle", "MedlineCitation", "PubmedBookArticleSet")
# What stands for a title that is not there.
_NO_TITLE = re.compile(r"\[\s*(?:not available|in process citation)\s*\]\.?", re.IGNORECASE)
_NOTHING: tuple[None] = (None,)
_BLOCKS = ("b", "p", "title", "sec")
_SIGNED = re.compile(r"[-+\u2212\u2013]?\d")
_RECORDS = ("PubmedArticle", "MedlineCitation", "DeleteCitation", "PubmedBookArticle", "BookDocument", "DeleteDocument")
# Records that lie within others in files with these roots.
_WITHIN = {"PubmedArticleSet": ("MedlineCitation", "BookDocument"), "PubmedBookArticleSet": ("BookDocument",)}


def read_pubmed(part: Part) -> Iterator[Intake]:
    """Yield the citations of a file as documents and its `DeleteCitation` as removals; books are skipped."""
    source = part.source
    try:
        prolog = read_prolog(Path(part.path), ROOTS)
    except WrongRecord as error:
        yield rejected(source, "beginning of the file", error)
        return
    for number, item in enumerate(xml_records(part, _RECORDS, prolog)):
        if isinstance(item, Broken):
            yield letter(source, item.place, UNREADABLE, item.message)
            continue
        try:
            element = parse(item.data, prolog.namespaces)
            name = etree.QName(element).localname
            if part.start and number == 0 and name in _WITHIN.get(prolog.root, ()):
                continue  # the range begins inside a record, which belongs to the range before
            if name == "DeleteCitation":
                yield from (Removal(f"pubmed:{_words(pmid)}", source) for pmid in element.iter("{*}PMID"))
            elif name in ("PubmedArticle", "MedlineCitation"):
                yield _document(element, source)
            else:
                yield Skipped(source, f"{name} is not a citation")
        except WrongRecord as error:
            yield rejected(source, item.place, error)


def _document(record: etree._Element, source: str) -> Document | Skipped:
    citation = record if etree.QName(record).localname == "MedlineCitation" else record.find("{*}MedlineCitation")
    if citation is None:
        raise WrongRecord("PubmedArticle without MedlineCitation: leave it out or complete it", "no MedlineCitation")
    parts = _children(citation)
    pmid = parts.get("PMID", _NOTHING)[0]
    number = _words(pmid)
    if pmid is None or not (number.isascii() and number.isdecimal()):
        raise WrongRecord(f"citation with the PMID {number[:40]!r}: it must be a number", "PMID is no number")
    whole = parts.get("Article", _NOTHING)[0]
    article = {} if whole is None else _children(whole)
    title, original = (_words(article.get(name, _NOTHING)[0]) for name in ("ArticleTitle", "VernacularTitle"))
    if _NO_TITLE.fullmatch(title):
        title = ""
    languages = [canonical(_words(language)) for language in article.get("Language", ())]
    abstract, language = _abstract(article.get("Abstract", []), parts.get("OtherAbstract", []))
    if not abstract and not title:
        language = next(iter(languages), "")
    title = title or original
    text = title
    starts: list[tuple[str, int]] = []
    for label, words in abstract:
        text = f"{text}\n\n" if text else ""
        starts.append((label, len(text)))
        text += words
    if not text:
        return Skipped(source, "citation without title and abstract")
    tokens, sentences = segment(text, breaks=[start for _, start in starts])
    metadata = {*_metadata(parts, article), ("language", language)}
    if not starts:
        metadata.add(("abstract", "none"))
    metadata.update(("article_language", code) for code in languages if code != "en")
    if original and original != title:
        metadata.add(("vernacular_title", original))
    return Document(
        id=f"pubmed:{number}",
        source=source,
        title=title,
        text=text,
        tokens=tokens,
        sentences=sentences,
        sections=tuple(Section(label, bisect_left(tokens, (start, 0))) for label, start in starts if label),
        metadata=tuple(sorted(item for item in metadata if item[1])),
        version=_version(parts, pmid),
    )


def _children(element: etree._Element) -> dict[str, list[etree._Element]]:
    """Return the children of an element by their local names."""
    found: dict[str, list[etree._Element]] = {}
    for child in element:
        found.setdefault(child.tag.rpartition("}")[2], []).append(child)
    return found


def _abstract(own: list[etree._Element], others: list[etree._Element]) -> tuple[list[tuple[str, str]], str]:
    """Return the parts of the abstract with their labels, and its language.

    Titles and abstracts of PubMed are in English, whatever the language of the article. Only where there is no
    abstract in English, one in another language is taken, if the publisher gave one.
    """
    others = sorted(others, key=lambda other: canonical(other.get("Language", "")) != "en")
    for abstract in (*own, *others):
        parts = [
            (one_line(part.get("Label", "")), words)
            for part in abstract.iterfind("{*}AbstractText")
            if (words := _words(part))
        ]
        if parts:
            return parts, canonical(abstract.get("Language", "en"))
    return [], "en"


def _words(element: etree._Element | None) -> str:
    """Return the text of an element without its inline markup (`<sub>`, `<i>`, MathML); powers and fractions stay."""
    if element is None:
        return ""
    if not len(element):
        return " ".join((element.text or "").split())
    pieces: list[str] = []
    _inline(element, pieces)
    return " ".join("".join(pieces).split())


def _inline(element: etree._Element, pieces: list[str]) -> None:
    """Append the text of an element and what is in it."""
    pieces.append(element.text or "")
    for child in element:
        name = etree.QName(child).localname
        before = next((piece[-1] for piece in reversed(pieces) if piece), "")
        previous = child.getprevious()
        if name == "sup" and _is_power(before, child):
            pieces.append("^")
        elif name == "mfrac" and len(child) == 2:
            pieces.append("/".join(_words(part) for part in child))
            pieces.append(child.tail or "")
            continue
        elif name == "msup" and len(child) == 2:
            base, power = (_words(part) for part in child)
            pieces.append(f"{base}^{power}")
            pieces.append(child.tail or "")
            continue
        elif name in _BLOCKS and before.strip() and previous is not None and previous.tag == child.tag:
            pieces.append(" ")  # two headings in a row
        _inline(child, pieces)
        pieces.append(child.tail or "")


def _is_power(before: str, raised: etree._Element) -> bool:
    """Tell whether what is raised behind a digit would read as one number with it: 10<sup>5</sup> is not 105."""
    return before.isdigit() and bool(_SIGNED.match("".join(map(str, raised.itertext())).strip()))


def _metadata(
    parts: dict[str, list[etree._Element]], article: dict[str, list[etree._Element]]
) -> Iterator[tuple[str, str]]:
    for other in parts.get("OtherAbstract", ()):
        yield "other_abstract", canonical(other.get("Language", ""))
    for journal in article.get("Journal", ())[:1]:
        if name := _words(journal.find("{*}ISOAbbreviation")) or _words(journal.find("{*}Title")):
            yield "journal", name
        date = journal.find("{*}JournalIssue/{*}PubDate")
        year = "" if date is None else _words(date.find("{*}Year")) or _words(date.find("{*}MedlineDate"))[:4]
        if year:
            yield "year", year
    for location in article.get("ELocationID", ()):
        if location.get("EIdType") == "doi" and (doi := _words(location)):
            yield "doi", doi
    for headings in parts.get("MeshHeadingList", ()):
        for heading in headings.iterfind("{*}MeshHeading/{*}DescriptorName"):
            yield "mesh", f"{heading.get('UI', '')}|{_words(heading)}"
    for chemicals in parts.get("ChemicalList", ()):
        for substance in chemicals.iterfind("{*}Chemical/{*}NameOfSubstance"):
            yield "substance", f"{substance.get('UI', '')}|{_words(substance)}"


def _version(parts: dict[str, list[etree._Element]], pmid: etree._Element) -> int:
    """Return the version of the PMID followed by the eight digits of the date of revision, to break ties."""
    version = pmid.get("Version", "1")
    number = int(version) if version.isascii() and version.isdecimal() and len(version) < 6 else 1
    for name in ("DateRevised", "DateCompleted", "DateCreated"):
        for date in parts.get(name, ())[:1]:
            digits = "".join(_words(date.find(f"{{*}}{part}")).zfill(2) for part in ("Year", "Month", "Day"))
            if len(digits) == 8 and digits.isascii() and digits.isdecimal():
                return number * 10**8 + int(digits)
    return number * 10**8


def _recognise(head: Head) -> bool:
    return bool(head.root and parse_prolog(head.data, ROOTS).root)


FORMAT = Format("pubmed", read_pubmed, _recognise, splittable=True, public_ids=True)
