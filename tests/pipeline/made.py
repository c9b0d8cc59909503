"""Documents and input files made for the tests of the pipeline."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.readers import align
from schemas import Document, Mention
from schemas.text.segmentation import segment


def document(id: str, text: str, links: Mapping[str, str] | None = None, **fields: Any) -> Document:
    """A document; `links` gives the knowledge-base id of every word or phrase that is a link."""
    tokens, sentences = segment(text)
    mentions = []
    for phrase, kb_id in (links or {}).items():
        start = text.index(phrase)
        first, last = align(tokens, start, start + len(phrase))
        mentions.append(Mention(first, last, None, (kb_id,)))
    given = {"source": "made.txt", "title": id, "mentions": tuple(sorted(mentions, key=lambda m: m.start)), **fields}
    return Document(id=id, text=text, tokens=tokens, sentences=sentences, **given)


def pubtator(records: Iterable[tuple[str, str, str]]) -> str:
    """(id, title, abstract) records as a PubTator file."""
    return "".join(f"{id}|t|{title}\n{id}|a|{abstract}\n\n" for id, title, abstract in records)


PLACES = ("England", "Scotland", "Ireland", "Poland", "Boston", "Luton")


def records(count: int) -> list[tuple[str, str, str]]:
    """Records that share their entities, so that the graph is much smaller than the sum of its documents."""
    return [
        (
            str(1000 + i),
            f"The tale of Tower{i % 17} of {PLACES[i % 6]}",
            f"The Old Bridge is in {PLACES[i % 6]}. Anna Smith{i % 5} met Bob Jones of {PLACES[(i * 7 + 1) % 6]}. "
            + "It rains there. " * (i % 9)
            + f"In Boston is Tower{i % 13}.",
        )
        for i in range(count)
    ]


def digest(out: Path) -> dict[str, str]:
    """The bytes of every table of a build, hashed, by file name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((out / "tables").iterdir())}


def mediawiki(*pages: tuple[str, str]) -> str:
    """(title, wikitext) pages as a MediaWiki export; a text that begins with `#REDIRECT` makes a redirect."""
    made = []
    for number, (title, text) in enumerate(pages, 1):
        target = text.partition("[[")[2].partition("]]")[0] if text.startswith("#REDIRECT") else ""
        redirect = f'<redirect title="{target}"/>' if target else ""
        made.append(
            f"<page><title>{title}</title><ns>0</ns><id>{number}</id>{redirect}<revision><id>{number + 100}</id>"
            f'<text xml:space="preserve">{text}</text></revision></page>'
        )
    return f'<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/" xml:lang="en">{"".join(made)}</mediawiki>'


def medline(citations: Iterable[tuple[int, int, str, str]], deleted: Iterable[int] = ()) -> str:
    """(pmid, version, title, abstract) citations as MEDLINE XML, and the PMIDs it asks to delete."""
    body = "".join(
        f'<PubmedArticle><MedlineCitation><PMID Version="{version}">{pmid}</PMID><Article><ArticleTitle>{title}'
        f"</ArticleTitle><Abstract><AbstractText>{abstract}</AbstractText></Abstract></Article></MedlineCitation>"
        "</PubmedArticle>"
        for pmid, version, title, abstract in citations
    )
    gone = "".join(f"<PMID>{pmid}</PMID>" for pmid in deleted)
    return f"<PubmedArticleSet>{body}<DeleteCitation>{gone}</DeleteCitation></PubmedArticleSet>"
