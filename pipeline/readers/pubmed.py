"""PubMed and MEDLINE XML: titles and abstracts with their MeSH headings, and removals."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from pipeline.readers.part import Part
from pipeline.readers.reader_errors import UNREADABLE, WrongRecord, letter, rejected
from pipeline.readers.streams.xmlrecords import Broken, parse, read_prolog, xml_records
from schemas import Document, Intake, Removal, Section, Skipped
from schemas.text.clean import one_line
from schemas.text.segmentation import segment

ROOTS = ("MedlineCitationSet", "PubmedArticleSet", "PubmedArticle", "MedlineCitation", "PubmedBookArticleSet")
_RECORDS = ("PubmedArticle", "MedlineCitation", "DeleteCitation", "PubmedBookArticle", "BookDocument", "DeleteDocument")


def read_pubmed(part: Part) -> Iterator[Intake]:
    """Yield the citations of a file as documents and its `DeleteCitation` as removals; books are skipped."""
    source = part.source
    try:
        prolog = read_prolog(Path(part.path), ROOTS)
    except WrongRecord as error:
        yield rejected(source, "beginning of the file", error)
        return
    for item in xml_records(part, _RECORDS, prolog):
        if isinstance(item, Broken):
            yield letter(source, item.place, UNREADABLE, item.message)
            continue
        try:
            element = parse(item.data, prolog.namespaces)
            name = etree.QName(element).localname
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
        raise WrongRecord("PubmedArticle without MedlineCitation: leave it out or complete it")
    pmid = citation.find("{*}PMID")
    number = _words(pmid)
    if pmid is None or not (number.isascii() and number.isdecimal()):
        raise WrongRecord(f"citation with the PMID {number[:40]!r}: it must be a number")
    title = _words(citation.find("{*}Article/{*}ArticleTitle"))
    text = title
    starts: list[tuple[str, int]] = []
    for part in citation.iterfind("{*}Article/{*}Abstract/{*}AbstractText"):
        if words := _words(part):
            text = f"{text}\n\n" if text else ""
            starts.append((one_line(part.get("Label", "")), len(text)))
            text += words
    if not text:
        return Skipped(source, "citation without title and abstract")
    tokens, sentences = segment(text, breaks=[start for _, start in starts])
    return Document(
        id=f"pubmed:{number}",
        source=source,
        title=title,
        text=text,
        tokens=tokens,
        sentences=sentences,
        sections=tuple(Section(label, bisect_left(tokens, (start, 0))) for label, start in starts if label),
        metadata=tuple(sorted(_metadata(citation, bool(starts)))),
        version=_version(citation, pmid),
    )


def _words(element: etree._Element | None) -> str:
    """Return the text of an element without its inline markup (`<sub>`, `<i>`, MathML)."""
    if element is None:
        return ""
    text = "".join(map(str, element.itertext())) if len(element) else element.text or ""
    return " ".join(text.split())


def _metadata(citation: etree._Element, has_abstract: bool) -> Iterator[tuple[str, str]]:
    if not has_abstract:
        yield "abstract", "none"
    journal = citation.find("{*}Article/{*}Journal")
    if journal is not None:
        if name := _words(journal.find("{*}ISOAbbreviation")) or _words(journal.find("{*}Title")):
            yield "journal", name
        date = journal.find("{*}JournalIssue/{*}PubDate")
        year = "" if date is None else _words(date.find("{*}Year")) or _words(date.find("{*}MedlineDate"))[:4]
        if year:
            yield "year", year
    for location in citation.iterfind("{*}Article/{*}ELocationID"):
        if location.get("EIdType") == "doi" and (doi := _words(location)):
            yield "doi", doi
    for heading in citation.iterfind("{*}MeshHeadingList/{*}MeshHeading/{*}DescriptorName"):
        yield "mesh", f"{heading.get('UI', '')}|{_words(heading)}"
    for substance in citation.iterfind("{*}ChemicalList/{*}Chemical/{*}NameOfSubstance"):
        yield "substance", f"{substance.get('UI', '')}|{_words(substance)}"


def _version(citation: etree._Element, pmid: etree._Element) -> int:
    """Return the version of the PMID followed by the eight digits of the date of revision, to break ties."""
    version = pmid.get("Version", "1")
    number = int(version) if version.isascii() and version.isdecimal() and len(version) < 6 else 1
    for name in ("DateRevised", "DateCompleted", "DateCreated"):
        date = citation.find(f"{{*}}{name}")
        if date is not None:
            digits = "".join(_words(date.find(f"{{*}}{part}")).zfill(2) for part in ("Year", "Month", "Day"))
            if len(digits) == 8 and digits.isascii() and digits.isdecimal():
                return number * 10**8 + int(digits)
    return number * 10**8
