"""HTML: the main text of a page, without menus and advertisements, by trafilatura."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipeline.readers.head import Head
from pipeline.readers.part import Part
from pipeline.readers.reader_errors import letter
from pipeline.readers.registry import Format
from pipeline.readers.whole_file import read_whole
from schemas import Document, Intake, content_hash
from schemas.text.clean import clean, one_line
from schemas.text.segmentation import segment

LIMIT = 1 << 25  # bytes of a page
_ROOTS = {"html", "head", "body", "main", "article", "section", "div", "p", "h1", "h2", "table", "ul", "ol", "span"}
_TAGS = re.compile(r"</?(?:html|head|body|div|p|h[1-6]|ul|ol|li|a|span|table|meta|script|title)[\s>]", re.IGNORECASE)
_LEAST_TAGS = 4  # of a page that does not begin with <html>


def read_html(part: Part) -> Iterator[Intake]:
    """Yield the document of a page."""
    data = yield from read_whole(part, LIMIT, f"the page is larger than {LIMIT} bytes: split it")
    if data is None:
        return
    try:
        import trafilatura
    except ImportError:
        detail = "HTML is read with trafilatura, which is not installed: pip install 'factmill[html]'"
        yield letter(part.source, "file", "HTML needs trafilatura", detail)
        return
    found = trafilatura.bare_extraction(data, with_metadata=True, include_comments=False, include_tables=False)
    page = {} if found is None else found if isinstance(found, dict) else found.as_dict()
    # What is too short to have a main part is taken whole.
    text = clean(page.get("text") or trafilatura.html2txt(data) or "").strip()
    title = one_line(page.get("title") or "") or part.source
    tokens, sentences = segment(text, breaks=[match.end() for match in re.finditer(r"\n+", text)])
    metadata = {"url": page.get("url"), "date": page.get("date"), "site": page.get("sitename")}
    yield Document(
        id=f"html:{part.source}#{content_hash('html', text)[:12]}",
        source=part.source,
        title=title,
        text=text,
        tokens=tokens,
        sentences=sentences,
        metadata=tuple(sorted((key, one_line(value)) for key, value in metadata.items() if value)),
    )


def _recognise(head: Head) -> bool:
    text = head.text[:1024].lower()
    if text.startswith("<!doctype html") or head.root.lower() == "html":
        return True
    return head.root.lower() in _ROOTS and len(_TAGS.findall(head.text)) >= _LEAST_TAGS


FORMAT = Format("html", read_html, _recognise)
