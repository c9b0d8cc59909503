"""What a build says at its end: what is in the graph, what was left out and why, where it lies, what to try next."""

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

_SURE_EDGES = (
    "MATCH (a)-[r]->(b) RETURN a.name, label(r), b.name, r.confidence ORDER BY r.confidence DESC, r.id LIMIT 10"
)
_CONFLICTS = 3  # that are named
_CONFLICT = re.compile(r"'(?P<id>.*)' of '(?P<other>.*)' differs from that of '(?P<kept>.*)'", re.DOTALL)
_PUBLIC_IDS = ("wiki:", "pubmed:")
_WHAT_FOR = {
    "tables": "the graph as Parquet tables (docs/reference/tables.md)",
    "graph.nq": "the graph as N-Quads",
    "graph.db": "the graph as an embedded Cypher database",
    "extractions": "what each document gave, for update, remove and merge (docs/how-to/change-a-graph.md)",
    "run.json": "options, versions and counts of this build",
}


def print_summary(report: BuildReport, out: Path, stream: TextIO | None = None) -> None:
    """Print the summary of the build in `out` (to standard output when `stream` is None)."""
    tables = GraphTables.open(out)
    rows = {name: tables.count(name) for name in TABLES}
    documents = tables.read("documents", ("entities", "facts"))
    entities, facts = (pc.sum(documents[name]).as_py() or 0 for name in ("entities", "facts"))
    files = counted(len(report.inputs), "file")
    click.echo("\nWhat is in the graph", stream)
    print_rows(
        {
            **_changes(report),
            "documents": f"{rows['documents']:,} from {files}{_also_read(report.counts.read)}",
            "entities": f"{entities:,} in single documents, merged to {rows['nodes']:,} nodes",
            "facts": f"{facts:,} in single documents, merged to {rows['edges']:,} edges",
            "evidence": f"{rows['evidence']:,} sentences",
            **_languages(report),
            **_lost(report),
            **_linked(report),
            **_resolved(report),
            "skipped": _by_reason(report.counts.skipped),
            **_conflicts(report),
            "left out": _by_reason(report.counts.dropped),
            "rules": _by_reason(report.counts.rules),
            "dead letters": _by_reason(report.counts.dead_letters),
            "time": ", ".join(f"{stage} {duration(seconds)}" for stage, seconds in report.seconds.items()),
        },
        stream,
    )
    for warning in report.warnings:
        click.echo(f"\nWarning: {printable(warning)}", stream)
    click.echo("\nWhere it lies", stream)
    print_rows({str(out / name): what for name, what in _WHAT_FOR.items() if (out / name).exists()}, stream)
    click.echo("\nWhat to try next", stream)
    for command in _suggestions(out, tables):
        click.echo(f"  {command}", stream)


def _changes(report: BuildReport) -> dict[str, str]:
    """Return what the command changed and what it extracted for that; of a build only the latter, if it was resumed."""
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
    """Return how many documents there are in which language, where that is known."""
    counts = report.counts.languages
    return {"languages": _by_reason(counts)} if set(counts) - {"unknown"} else {}


def _lost(report: BuildReport) -> dict[str, str]:
    """Return what readers could not make words of."""
    return {"lost in reading": _by_reason(report.counts.lost)} if report.counts.lost else {}


def _resolved(report: BuildReport) -> dict[str, str]:
    """Return which nodes were joined by resolution, where it was done."""
    counts = dict(report.counts.resolution)
    if not counts:
        return {}
    before, after = counts.pop("nodes before"), report.counts.rows.get("nodes", 0)
    return {"resolution": f"{before:,} nodes to {after:,}; {_by_reason(counts)}"}


def _linked(report: BuildReport) -> dict[str, str]:
    """Return how entities were linked, where there was something to link to."""
    return {"linked": _by_reason(report.counts.linked)} if report.counts.linked else {}


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
    """Print names and values side by side."""
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
    commands = [f'factmill query {folder} "{_SURE_EDGES}"']
    name = _best_connected(tables)
    if name is not None:
        commands.append(f"factmill show {folder} {shlex.quote(printable(name))}")
    what = "what failed and why" if tables.count("dead_letters") else "how it was built"
    commands.append(f"factmill info {folder}    # {what}")
    return commands


def _also_read(counts: Mapping[str, int]) -> str:
    """Return the removals and redirects, which change documents and are none themselves."""
    found = [
        f"{counts[kind]:,} {kind.removesuffix('s') if counts[kind] == 1 else kind}"
        for kind in ("removals", "redirects")
        if counts.get(kind)
    ]
    return f"; {' and '.join(found)} followed" if found else ""


def _by_reason(counts: Mapping[str, int]) -> str:
    total = sum(counts.values())
    if not total:
        return "none"
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return f"{total:,}: " + ", ".join(f"{number:,} {reason}" for reason, number in ranked)


def _best_connected(tables: GraphTables) -> str | None:
    """Return the name of the node with the most edges going out, or None when there is no edge."""
    heads = tables.read("edges", ("head",))["head"].value_counts().to_pylist()
    if not heads:
        return None
    best = min(heads, key=lambda count: (-count["counts"], count["values"]))["values"]
    found = tables.read("nodes", ("name",), where=pc.field("id") == best)["name"].to_pylist()
    return str(found[0]) if found else None
