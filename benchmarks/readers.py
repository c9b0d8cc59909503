"""Speed of the readers beside other libraries, single-threaded, in one run, and how far texts of articles agree.

python -m benchmarks.readers DUMP.xml.bz2 MEDLINE.xml.gz [DIFFERENCES.txt]

Every side turns the same file into plain text with its own means. Ours also finds sentences and tokens and builds
documents; a second line of ours stops at the text, which is what the others deliver. Times are CPU seconds of the
process, the best of three rounds in turn; megabytes are those of the decompressed XML. The text and links of each
article are also compared with those that mwparserfromhell finds; the differences go to a file if one is named.
"""

from __future__ import annotations

import bz2
import gzip
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

import mwparserfromhell
import mwxml
import pubmed_parser
from gensim.corpora.wikicorpus import extract_pages, filter_wiki, tokenize

from benchmarks.machine import processor
from benchmarks.wiki_agreement import Agreement, compare
from pipeline.readers import Part, read
from pipeline.readers.mediawiki import ROOTS
from pipeline.readers.streams.xmlrecords import XmlRecord, parse, read_prolog, xml_records
from pipeline.readers.wiki.text import read_wikitext
from pipeline.readers.wiki.titles import Site
from schemas import Document

ROUNDS = 3
ENGLISH = Site(language="en")
RESULTS = Path(__file__).parent / "results"


def factmill(path: Path, format: str) -> int:
    return sum(isinstance(item, Document) for item in read(Part(str(path), format)))


def articles(path: Path) -> Iterator[tuple[str, str]]:
    """Yield title and wikitext of every article."""
    prolog = read_prolog(path, ROOTS)
    for item in xml_records(Part(str(path), "mediawiki"), ("page",), prolog):
        if isinstance(item, XmlRecord):
            page = parse(item.data, prolog.namespaces)
            if page.findtext("{*}ns") == "0" and page.find("{*}redirect") is None:
                yield page.findtext("{*}title") or "", page.findtext("{*}revision/{*}text") or ""


def factmill_text(path: Path) -> int:
    """Stop where gensim and mwparserfromhell stop: at the text of every article."""
    return sum(bool(read_wikitext(wikitext, ENGLISH).text) for _, wikitext in articles(path))


def text_and_links(wikitext: str) -> tuple[str, list[str]]:
    prose = read_wikitext(wikitext, ENGLISH)
    return prose.text, [link.target for link in prose.links]


def gensim_articles(path: Path) -> Iterator[str]:
    with bz2.open(path) as file:
        for _, text, _ in extract_pages(file, ("0",)):
            if text and not text.startswith("#REDIRECT"):
                yield text


def gensim_text(path: Path) -> int:
    return sum(bool(filter_wiki(text)) for text in gensim_articles(path))


def gensim_tokens(path: Path) -> int:
    """Do what WikiCorpus does with every article, in this process."""
    return sum(bool(tokenize(filter_wiki(text), 2, 15, True)) for text in gensim_articles(path))


def mwxml_mwparserfromhell(path: Path) -> int:
    pages = 0
    with bz2.open(path) as file:
        for page in mwxml.Dump.from_file(file):
            if page.namespace == 0 and page.redirect is None:
                for revision in page:
                    pages += bool(mwparserfromhell.parse(revision.text or "").strip_code())
    return pages


def as_articles(path: Path, folder: Path) -> Path:
    """Write the citations in the format of today, the only one that pubmed_parser reads."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        _, _, citations = file.read().partition("<MedlineCitationSet>")
    citations = citations.replace("<MedlineCitation ", "<PubmedArticle><MedlineCitation ")
    citations = citations.replace("</MedlineCitation>", "</MedlineCitation></PubmedArticle>")
    articles = folder / path.name
    with gzip.open(articles, "wt", encoding="utf-8") as file:
        file.write(f"<PubmedArticleSet>{citations.replace('</MedlineCitationSet>', '</PubmedArticleSet>')}")
    return articles


def pubmed(path: Path) -> int:
    return sum(not item["delete"] for item in pubmed_parser.parse_medline_xml(str(path)))


def best(sides: dict[str, Callable[[], int]]) -> dict[str, tuple[float, int]]:
    """Return CPU seconds and number of documents of every side; rounds alternate, so that all meet the same load."""
    found: dict[str, tuple[float, int]] = {}
    for _ in range(ROUNDS):
        for name, run in sides.items():
            start = time.process_time()
            documents = run()
            seconds = time.process_time() - start
            found[name] = min(found.get(name, (seconds, documents)), (seconds, documents))
    return found


def main(dump: Path, medline: Path, differences: Path | None = None) -> None:
    agreement = compare(articles(dump), text_and_links)
    if differences is not None:
        differences.write_text("\n".join(agreement.differences) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        measure(dump, as_articles(medline, Path(folder)), agreement)


def agreement_lines(agreement: Agreement) -> list[str]:
    """Return the part of the report on the agreement."""
    shares = {
        name: (counts, f"{counts['both'] / counts['theirs']:.2%}", f"{counts['both'] / counts['ours']:.2%}")
        for name, counts in (("words", agreement.words), ("links", agreement.links))
    }
    return [
        "",
        "## Agreement with mwparserfromhell",
        "",
        f"Text of {agreement.articles} articles, without headings, tables, files and appendices on both sides; words in"
        " order. mwparserfromhell knows no templates: words and links of templates are ours alone.",
        "",
        "| what | theirs | ours | both | of theirs in ours | of ours in theirs |",
        "|---|---|---|---|---|---|",
        *(
            f"| {name} | {counts['theirs']:,} | {counts['ours']:,} | {counts['both']:,} | {theirs} | {ours} |"
            for name, (counts, theirs, ours) in shares.items()
        ),
    ]


def measure(dump: Path, medline: Path, agreement: Agreement) -> None:
    with bz2.open(dump) as wiki, gzip.open(medline) as citations:
        sizes = {dump: len(wiki.read()) / 1e6, medline: len(citations.read()) / 1e6}
    files: dict[Path, dict[str, Callable[[], int]]] = {
        dump: {
            "factmill, documents with sentences, tokens and links": lambda: factmill(dump, "mediawiki"),
            "factmill, text with links": lambda: factmill_text(dump),
            f"gensim {version('gensim')}, tokens as WikiCorpus": lambda: gensim_tokens(dump),
            f"gensim {version('gensim')}, text": lambda: gensim_text(dump),
            f"mwxml {version('mwxml')} + mwparserfromhell {version('mwparserfromhell')}, text": (
                lambda: mwxml_mwparserfromhell(dump)
            ),
        },
        medline: {
            "factmill, documents with sentences and tokens": lambda: factmill(medline, "pubmed"),
            f"pubmed_parser {version('pubmed_parser')}, fields": lambda: pubmed(medline),
        },
    }
    hardware = f"{processor()}, one thread, Python {platform.python_version()}"
    rows = [
        {
            "file": path.name,
            "megabytes": round(sizes[path], 2),
            "side": name,
            "documents": documents,
            "cpu_seconds": round(seconds, 3),
            "megabytes_per_second": round(sizes[path] / seconds, 1),
        }
        for path, sides in files.items()
        for name, (seconds, documents) in best(sides).items()
    ]
    RESULTS.mkdir(exist_ok=True)
    counts = {"words": dict(agreement.words), "links": dict(agreement.links)}
    results = {
        "hardware": hardware,
        "rounds": ROUNDS,
        "rows": rows,
        "agreement with mwparserfromhell": {"articles": agreement.articles, **counts},
    }
    (RESULTS / "readers.json").write_text(json.dumps(results, indent=1) + "\n")
    lines = [
        "# Speed of the readers",
        "",
        f"{hardware}; best of {ROUNDS} alternating rounds, CPU seconds. Written by `benchmarks/readers.py`.",
        "",
        "| file | side | documents | CPU s | MB/s |",
        "|---|---|---|---|---|",
        *(
            f"| {row['file']} ({row['megabytes']} MB) | {row['side']} | {row['documents']} | {row['cpu_seconds']} | "
            f"{row['megabytes_per_second']} |"
            for row in rows
        ),
        *agreement_lines(agreement),
    ]
    (RESULTS / "readers.md").write_text("\n".join(lines) + "\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
