"""The summary at the end of a build: counts of the graph, what was left out and why, files, next steps."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click
import pyarrow.compute as pc

from runners.display.quantities import counted, duration
from runners.display.terminal import print_table, printable
from schemas import TABLES
from sinks import GraphTables

if TYPE_CHECKING:
    from pipeline.build_report import BuildReport

_LIKELY_EDGES = (
    "MATCH (a)-[r]->(b) RETURN a.name, label(r), b.name, r.confidence ORDER BY r.confidence DESC, r.id LIMIT 10"
)
_CONFLICTS = 3  # that are named
_CONFLICT = re.compile(r"'(?P<id>.*)' of '(?P<other>.*)' differs from that of '(?P<kept>.*)'", re.DOTALL)
_PUBLIC_IDS = ("wiki:", "pubmed:")
_FILES = {
    "tables": "Parquet tables",
    "graph.nq": "RDF 1.2 in N-Quads",
    "graph.db": "embedded Cypher database",
    "extractions": "entities and facts of each document, for update, remove and merge",
    "run.json": "options, versions and counts",
}


def print_summary(report: BuildReport, out: Path, stream: TextIO | None = None) -> None:
    """Print the summary of the build in `out` (to standard output when `stream` is None)."""
    tables = GraphTables.open(out)
    rows = {name: tables.count(name) for name in TABLES}
    documents = tables.read("documents", ("entities", "facts"))
    entities, facts = (pc.sum(documents[name]).as_py() or 0 for name in ("entities", "facts"))
    files = counted(len(report.inputs), "file")
    click.echo("\nGraph", stream)
    print_rows(
        {
            **_changes(report),
            "documents": f"{rows['documents']:,} from {files}{_also_read(report.counts.read)}",
            "entities": f"{entities:,} in documents, merged into {counted(rows['nodes'], 'node')}",
            "facts": f"{facts:,} in documents, merged into {counted(rows['edges'], 'edge')}",
            "evidence": counted(rows["evidence"], "sentence"),
            **_languages(report),
            **_lost(report),
            **_linked(report),
            **_resolved(report),
            **_by_reason("skipped", report.counts.skipped),
            **_conflicts(report),
            **_by_reason("left out", report.counts.dropped),
            **_rules(report.counts.rules),
            **(_by_reason("dead letters", report.counts.dead_letters) or {"dead letters": "none"}),
            "time": ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in report.seconds.items()),
        },
        stream,
    )
    for warning in report.warnings:
        click.echo(f"\nWarning: {printable(warning)}", stream)
    click.echo("\nFiles", stream)
    print_rows({str(out / name): what for name, what in _FILES.items() if (out / name).exists()}, stream)
    click.echo("\nNext steps", stream)
    for command in _suggestions(out, tables):
        click.echo(f"  {command}", stream)


def _changes(report: BuildReport) -> dict[str, str]:
    """Return rows about changed documents, and about extracted ones if the command is no build or was resumed."""
    extracted = report.counts.extracted
    now, before = (extracted.get(when, 0) for when in ("now", "before"))
    rows = {}
    if report.command != "build":
        names = ("added", "replaced", "retried", "removed", "kept")
        rows["change"] = ", ".join(f"{report.counts.change.get(name, 0):,} {name}" for name in names)
    if report.command == "update" or before:
        rows["extracted"] = f"{now:,} documents now" + (f", {before:,} before the interruption" if before else "")
    return rows


def _languages(report: BuildReport) -> dict[str, str]:
    """Return the row with the number of documents in each language, if any language is known."""
    counts = report.counts.languages
    return _by_reason("languages", counts) if set(counts) - {"unknown"} else {}


def _lost(report: BuildReport) -> dict[str, str]:
    """Return the row with what readers could not convert to text, if there is any."""
    return _by_reason("lost in reading", report.counts.lost)


def _resolved(report: BuildReport) -> dict[str, str]:
    """Return the row about entity resolution, if it was done."""
    counts = dict(report.counts.resolution)
    if not counts:
        return {}
    before, after = counts.pop("nodes before"), report.counts.rows.get("nodes", 0)
    merged = f"{before:,} nodes merged into {after:,}" if counts else f"none of {before:,} nodes merged"
    return {"resolution": "; ".join([merged, *(f"{number:,} {reason}" for reason, number in _ranked(counts))])}


def _linked(report: BuildReport) -> dict[str, str]:
    """Return the row about entity linking, if there was something to link to."""
    counts = dict(report.counts.linked)
    if not counts:
        return {}
    total = sum(counts.values())
    outcomes = {name: counts.pop(name, 0) for name in ("by the source", "no candidate", "no candidate is likely")}
    ways = [f"{outcomes['by the source']:,} in the source", *(f"{number:,} {way}" for way, number in _ranked(counts))]
    with_id = outcomes["by the source"] + sum(counts.values())
    without = f"{outcomes['no candidate']:,} have no candidate"
    unlikely = f"{outcomes['no candidate is likely']:,} no likely candidate"
    linked = f"{with_id:,} of {total:,} entities have a knowledge-base id ({', '.join(ways)})"
    return {"linking": f"{linked}, {without}, {unlikely}"}


def _conflicts(report: BuildReport) -> dict[str, str]:
    """Return which documents were skipped for another of the same id, and how to keep both."""
    named = sorted(report.counts.conflicts)
    if not named:
        return {}
    skipped = report.counts.skipped
    lost = sum(number for reason, number in skipped.items() if reason.startswith("same id, "))
    more = f" and {lost - _CONFLICTS:,} more" if lost > _CONFLICTS else ""
    found = [match for match in map(_CONFLICT.fullmatch, named) if match and not match["id"].startswith(_PUBLIC_IDS)]
    remedy = "each was kept once"
    if any(match["other"] != match["kept"] for match in found):
        remedy = "to keep both, give them ids that differ, for example with --id-prefix file"
    elif found:
        remedy = "to keep both, name a field that tells them apart, as in --columns id=FIELD"
    return {"same id": f"{'; '.join(named[:_CONFLICTS])}{more}: {remedy}"}


def print_rows(rows: Mapping[str, str], stream: TextIO | None) -> None:
    """Print names and values as two columns."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    for name, value in rows.items():
        table.add_row(Text(printable(name)), Text(printable(value)))
    print_table(table, stream)


def _suggestions(out: Path, tables: GraphTables) -> list[str]:
    folder = shlex.quote(printable(str(out)))
    commands = [f'factmill query {folder} "{_LIKELY_EDGES}"']
    name = _best_connected(tables)
    if name is not None:
        commands.append(f"factmill show {folder} {shlex.quote(printable(name))}")
    what = "what failed and why" if tables.count("dead_letters") else "how it was built"
    commands.append(f"factmill info {folder}    # {what}")
    return commands


def _also_read(counts: Mapping[str, int]) -> str:
    """Return the removals and redirects, which change documents and are not documents themselves."""
    found = [
        f"{counts[kind]:,} {kind.removesuffix('s') if counts[kind] == 1 else kind}"
        for kind in ("removals", "redirects")
        if counts.get(kind)
    ]
    return f"; {' and '.join(found)} followed" if found else ""


def _by_reason(name: str, counts: Mapping[str, int]) -> dict[str, str]:
    """Return a row with the number for each reason, or nothing if there are none."""
    ranked = [f"{number:,} {reason}" for reason, number in _ranked(counts)]
    return {name: f"{sum(counts.values()):,}: {', '.join(ranked)}"} if ranked else {}


def _rules(counts: Mapping[str, int]) -> dict[str, str]:
    """Return the row about the rules of the relation schema, whose counts are named `RULE: WHAT`."""
    found = []
    for name, number in _ranked(counts):
        rule, separator, what = name.partition(": ")
        found.append(f"{rule}: {number:,} {what}" if separator else f"{number:,} {name}")
    return {"rules": "; ".join(found)} if found else {}


def _ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(((name, number) for name, number in counts.items() if number), key=lambda item: (-item[1], item[0]))


def _best_connected(tables: GraphTables) -> str | None:
    """Return the name of the node with the most edges going out, or None when there is no edge."""
    heads = tables.read("edges", ("head",))["head"].value_counts().to_pylist()
    if not heads:
        return None
    best = min(heads, key=lambda count: (-count["counts"], count["values"]))["values"]
    found = tables.read("nodes", ("name",), where=pc.field("id") == best)["name"].to_pylist()
    return str(found[0]) if found else None
