"""Languages of documents: which are taken in, how many there are, and whether the extractor reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pipeline.dead_letters import BuildError
from pipeline.extraction.extractor_source import ExtractorSource
from pipeline.readers.language import canonical
from schemas import Document, Intake, Skipped

KEY = "language"  # of the metadata of documents
UNKNOWN = "unknown"
_NOTABLE = 0.01  # share of documents in other languages from which on a warning is given


def language_of(metadata: Iterable[tuple[str, str]]) -> str:
    """Return the language that the metadata of a document name, or `unknown`."""
    return next((value for key, value in metadata if key == KEY), UNKNOWN)


def language_codes(languages: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of languages as documents have them, in order and once each.

    Raises:
        BuildError: one of them is no code of a language.
    """
    codes = {language: canonical(language) for language in languages}
    if wrong := [language for language, code in codes.items() if not code]:
        raise BuildError(f"'{wrong[0]}' is no code of a language: use ISO 639, such as en, de or ltg")
    return tuple(sorted(set(codes.values())))


def only(languages: Iterable[str], items: Iterable[Intake]) -> Iterator[Intake]:
    """Yield items with a skip in place of each document in none of the languages; no language means any.

    Documents whose language is not known stay.
    """
    wanted = {*languages, UNKNOWN}
    for item in items:
        if isinstance(item, Document) and len(wanted) > 1 and (code := language_of(item.metadata)) not in wanted:
            yield Skipped(item.source, f"language {code}")
        else:
            yield item


def languages_read(source: ExtractorSource) -> tuple[str, ...]:
    """Return the languages that an extractor reads; none if its source does not say."""
    read = getattr(source, "languages", None)
    return tuple(read()) if read else ()


def warning(documents: Mapping[str, int], read: Iterable[str], model: str) -> str | None:
    """Return what users should know about documents in languages that the extractor does not read.

    Args:
        documents: number of documents by language.
        read: languages of the extractor; if there are none, nothing is known about it.
        model: name of the extractor.
    """
    read = sorted(read)
    others = {code: number for code, number in documents.items() if code not in (*read, UNKNOWN)}
    count, total = sum(others.values()), sum(documents.values())
    if not read or count == 0 or count < _NOTABLE * total:
        return None
    ranked = sorted(others.items(), key=lambda item: (-item[1], item[0]))
    return (
        f"{count:,} of {total:,} documents are in languages that '{model}' was not trained on "
        f"({', '.join(f'{code} {number:,}' for code, number in ranked)}): do not rely on what it finds in them. "
        f"It reads {', '.join(read)}; the option --languages {','.join(read)} leaves the others out"
    )
