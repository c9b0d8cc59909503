"""`factmill show`: the facts of one entity with their evidence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runners.arguments.command import Command
from runners.display.quantities import counted
from runners.display.terminal import printable
from runners.errors import UserError

if TYPE_CHECKING:
    from schemas import Node
    from sinks import FactView, LinkedView, MergedView, NodeView, Sentence

_ALIASES_SHOWN = 8
_DOCUMENTS_SHOWN = 3
_NAMES_SHOWN = 10


@click.command(cls=Command, short_help="Show the facts of one entity with their evidence.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("name", metavar="NAME")
@click.option("--facts", type=click.IntRange(min=1), default=25, show_default=True, metavar="N", help="Facts to show.")
@click.option("--sentences", type=click.IntRange(min=0), default=2, show_default=True, metavar="N", help="Per fact.")
@click.option("--why", is_flag=True, help="Explain which names were linked to it or merged with it.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def show(folder: Path, name: str, facts: int, sentences: int, why: bool, as_json: bool) -> None:
    """Show the facts of an entity with their confidence and evidence sentences.

    NAME is a name, an alias, a knowledge-base id (wiki:Ada Lovelace, mesh:D008094) or the id of a node. In the
    sentences the entity and its counterpart are marked.

    \b
    Examples:
      factmill show graph 'Ada Lovelace'
      factmill show graph aspirin --facts 5 --sentences 1
      factmill show graph 'Ada Lovelace' --why                        # names that were linked or merged
      factmill show graph wiki:London --json
    """
    from runners.arguments.run_report import relation_schema
    from sinks import GraphTables, describe, find, linked_names, merged_names, suggest

    tables = GraphTables.open(folder)
    found = find(tables, name)
    if not found:
        close = [repr(printable(other)) for other in suggest(tables, name)]
        raise UserError(f"the graph has no '{name}'" + (f"; it has {', '.join(close)}" if close else ""))
    view = describe(tables, found[0], relation_schema(folder))
    links, joins = (linked_names(tables, found[0]), merged_names(tables, found[0])) if why else ((), ())
    if as_json:
        from msgspec import to_builtins

        reasons = {"linked": links, "joined": joins} if why else {}
        click.echo(json.dumps({**to_builtins(view), **to_builtins(reasons)}, indent=2, ensure_ascii=False))
        return
    for line in _lines(view, found[1:], facts, sentences):
        click.echo(line)
    if why:
        for line in (*_links(links), *_joins(joins)):
            click.echo(line)


def _lines(view: NodeView, others: list[Node], facts: int, sentences: int) -> Iterator[str]:
    node = view.node
    yield click.style(printable(node.name), bold=True) + f"  {printable(node.type)}"
    aliases = [alias for alias in node.aliases if alias != node.name]
    if aliases:
        more = f", and {len(aliases) - _ALIASES_SHOWN} more" if len(aliases) > _ALIASES_SHOWN else ""
        yield f"also called {printable(', '.join(aliases[:_ALIASES_SHOWN]))}{more}"
    if node.kb_ids:
        yield printable(", ".join(node.kb_ids))
    yield f"mentioned {_times(node.mentions)} in {counted(node.support, 'document')}"
    yield ""
    if not view.facts:
        yield "no facts"
    for fact in view.facts[:facts]:
        yield _fact(node, fact)
        for sentence in fact.evidence[:sentences]:
            yield f"      {_marked(sentence)}  ({printable(sentence.title)})"
        if len(fact.evidence) > sentences > 0:
            yield f"      ... and {counted(len(fact.evidence) - sentences, 'more sentence')}"
    if len(view.facts) > facts:
        yield f"... and {counted(len(view.facts) - facts, 'more fact')}; --facts shows them"
    if others:
        yield ""
        names = ", ".join(f"{printable(other.name)} ({printable(other.type)}, id {other.id})" for other in others[:5])
        yield f"'{printable(node.name)}' is also the name of {names}: give the id to see it"


def _fact(node: Node, fact: FactView) -> str:
    own, other = printable(node.name), click.style(printable(fact.other.name), bold=True)
    stated = f"{own} -- {fact.label} -> {other}" if fact.outgoing else f"{other} -- {fact.label} -> {own}"
    return f"{fact.confidence:5.2f}  {stated}  ({counted(fact.support, 'document')})"


def _marked(sentence: Sentence) -> str:
    """Return the sentence in one line with the mentions marked: bold on a terminal, in brackets elsewhere."""
    before, after = ("\x1b[1m", "\x1b[0m") if sys.stdout.isatty() else ("[", "]")
    spans = sorted({*sentence.head_spans, *sentence.tail_spans}, key=lambda span: (span[0], -span[1]))
    parts: list[str] = []
    position = 0
    for start, end in spans:
        if start < position:
            continue  # inside the previous span
        parts += [printable(sentence.text[position:start]), before, printable(sentence.text[start:end]), after]
        position = end
    return "".join([*parts, printable(sentence.text[position:])])


def _links(links: tuple[LinkedView, ...]) -> Iterator[str]:
    yield ""
    yield "names linked to it" if links else "no names without a link of their own were linked to it"
    for link in links[:_NAMES_SHOWN]:
        sure = " to ".join(dict.fromkeys(f"{chance:.2f}" for chance in (link.least, link.most)))
        yield f"{sure:>5}  {printable(link.name)}: linked by {link.source}"
        yield _where(link.documents, link.entities)
        yield _features(link.features)
        if link.others:
            others = (f"{printable(id)} {chance:.2f}" for id, chance in link.others)
            yield f"      else {', '.join(others)}"
    if len(links) > _NAMES_SHOWN:
        yield f"... and {counted(len(links) - _NAMES_SHOWN, 'more name')}; --json has all"


def _joins(names: tuple[MergedView, ...]) -> Iterator[str]:
    yield ""
    yield "names joined into it" if names else "no other names were joined into it"
    for merged in names:
        yield f"{merged.score:5.2f}  {printable(merged.name)}  {printable(merged.type)}: {merged.reason}"
        yield _where(merged.documents, merged.support)
        yield _features(merged.features)


def _where(documents: tuple[str, ...], of: int) -> str:
    shown = documents[:_DOCUMENTS_SHOWN]
    more = f" and {counted(of - len(shown), 'more document')}" if of > len(shown) else ""
    return f"      in {printable(', '.join(shown))}{more}"


def _features(features: dict[str, float]) -> str:
    return "      " + ", ".join(f"{name} {value:.3g}" for name, value in features.items() if value)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number:,} times"
