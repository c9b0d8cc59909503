"""Results as HTML for notebooks: every text is escaped, and nothing is loaded from anywhere."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from factmill.graph import Graph
    from factmill.graph_node import GraphNode
    from factmill.result import Result, Span

_ROWS = 20
_MARK = "padding:0 .2em;border-radius:.25em;color:#111"


def result_html(result: Result) -> str:
    """Return a text with its entities marked, and a table of its facts."""
    spans = [(span, entity.type) for entity in result.entities for span in entity.mentions]
    text = f'<div style="line-height:1.9;white-space:pre-wrap">{_marked(result.text, spans)}</div>'
    rows = [
        (
            fact.head.name,
            fact.relation.label,
            fact.tail.name,
            f"{fact.probability:.2f}",
            " ".join(span.text for span in fact.evidence),
        )
        for fact in result.facts
    ]
    return text + table_html(("head", "relation", "tail", "probability", "evidence"), rows)


def node_html(node: GraphNode) -> str:
    """Return a node with its facts and the sentences that state them."""
    about = ", ".join(filter(None, [node.type, *node.kb_ids]))
    names = f"<div>also called {escape(', '.join(node.other_names))}</div>" if node.other_names else ""
    rows = [
        (
            edge.head.name,
            edge.relation.label,
            edge.tail.name,
            f"{edge.confidence:.2f}",
            edge.support,
            edge.evidence[0].text if edge.evidence else "",
        )
        for edge in node.facts
    ]
    columns = ("head", "relation", "tail", "confidence", "documents", "evidence")
    return f"<div><b>{escape(node.name)}</b> ({escape(about)})</div>{names}{table_html(columns, rows)}"


def graph_html(graph: Graph) -> str:
    """Return the size of a graph and its most confident edges."""
    rows = [
        (edge.head.name, edge.relation.label, edge.tail.name, f"{edge.confidence:.2f}", edge.support)
        for edge in graph.top_edges(_ROWS)
    ]
    columns = ("head", "relation", "tail", "confidence", "documents")
    return f"<div>{escape(repr(graph))}</div>{table_html(columns, rows)}"


def table_html(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as a table; of long ones the first."""
    if not rows:
        return f"<div>no rows ({escape(', '.join(columns))})</div>"
    head = "".join(f'<th style="text-align:left">{escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(_cell(value) for value in row)}</tr>" for row in rows[:_ROWS])
    more = f"<div>... {len(rows) - _ROWS:,} more</div>" if len(rows) > _ROWS else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"


def _cell(value: Any) -> str:
    return f'<td style="text-align:left">{escape(str(value))}</td>'


def _marked(text: str, spans: Iterable[tuple[Span, str]]) -> str:
    """Return a text with spans marked by the colour of their type; a span that crosses an earlier one is left out."""
    parts: list[str] = []
    open_ends: list[tuple[int, str]] = []
    position = 0

    def close(until: int) -> None:
        nonlocal position
        while open_ends and open_ends[-1][0] <= until:
            end, type = open_ends.pop()
            parts.append(f'{escape(text[position:end])} <small style="opacity:.7">{escape(type)}</small></mark>')
            position = end

    for span, type in sorted(spans, key=lambda item: (item[0].start, -item[0].end, item[1])):
        close(span.start)
        if open_ends and span.end > open_ends[-1][0]:
            continue
        parts.append(f'{escape(text[position : span.start])}<mark style="background:{_colour(type)};{_MARK}">')
        position = span.start
        open_ends.append((span.end, type))
    close(len(text))
    return "".join([*parts, escape(text[position:])])


def _colour(type: str) -> str:
    """Return the colour of an entity type: the same in every run."""
    return f"hsl({zlib.crc32(type.encode()) % 360},75%,85%)"
