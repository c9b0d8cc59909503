"""`factmill evaluate-graph`: compare a graph with annotated documents."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.command import Command
from runners.arguments.value_types import FORMAT
from runners.errors import UserError

if TYPE_CHECKING:
    from extractors.evaluation.score import Score
    from pipeline.graph_evaluation import GraphScores

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("evaluate-graph", cls=Command, short_help="Compare a graph with annotated documents.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--gold", "files", multiple=True, required=True, type=_FILE, help="Annotated documents; may be repeated.")
@click.option("--documents", metavar="START:STOP", help="Only these annotated documents, counted from 0.")
@click.option("--format", type=FORMAT, metavar="FORMAT", help="Format of the files [found in their content].")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def evaluate_graph(
    folder: Path, files: tuple[Path, ...], documents: str | None, format: str | None, as_json: bool
) -> None:
    """Compare a graph with the graph that results from the annotations of the same documents.

    DIR is the folder of a graph that was built from the texts of the annotated documents only. The annotations are
    merged in the same way. Two nodes match if they share a knowledge-base id, or a name and the type; an edge is
    correct if both ends match and the relation is the same. The facts of single documents are scored as well.
    docs/reference/evaluation.md explains every figure.

    \b
    Examples:
      factmill evaluate-graph graph --gold dev.json
      factmill evaluate-graph graph --gold dev.json --documents 350:380 --json
    """
    from pipeline.graph_evaluation import evaluate_graph as compare
    from runners.arguments.annotated_documents import part_of, read_annotated
    from runners.arguments.run_report import relation_schema
    from sinks import GraphTables

    schema = relation_schema(folder)
    tables = GraphTables.open(folder)
    gold = part_of(read_annotated(files, format), documents)
    scores = compare(tables, gold, schema)
    if not scores.documents[1]:
        raise UserError(f"none of the annotated documents is in '{folder}': build it from their texts")
    if as_json:
        click.echo(json.dumps(_plain(scores), indent=2))
    else:
        for line in _lines(scores):
            click.echo(line)


def _plain(scores: GraphScores) -> dict[str, Any]:
    return {
        "documents": {"annotated": scores.documents[0], "in_graph": scores.documents[1]},
        "nodes": scores.nodes.to_dict(),
        "edges": [{"cut": cut, **score.to_dict()} for cut, score in scores.edges.items()],
        "facts": [{"cut": cut, **score.to_dict()} for cut, score in scores.facts.items()],
        "best": {"edges": _best(*scores.best), "facts": _best(*scores.best_fact), "gap": scores.gap},
        "confidence": None if scores.confidence is None else _rounded(scores),
    }


def _best(cut: float, score: Score) -> dict[str, float]:
    return {"cut": cut, **score.to_dict()}


def _rounded(scores: GraphScores) -> dict[str, Any]:
    import msgspec

    plain: dict[str, Any] = msgspec.to_builtins(scores.confidence)
    return plain


def _lines(scores: GraphScores) -> Iterator[str]:
    annotated, there = scores.documents
    yield f"{there:,} of {annotated:,} annotated documents are in the graph"
    nodes = scores.nodes
    yield (
        f"nodes: {nodes.predicted:,}, annotated {nodes.gold:,}, in both {nodes.correct:,} "
        f"(P {nodes.precision:.4f}  R {nodes.recall:.4f}  F1 {nodes.f1:.4f})"
    )
    yield ""
    yield f"{'confidence':>10}  {'distinct edges':^33}  {'facts of single documents':^33}"
    yield f"{'at least':>10}  {'number':>9}{'P':>8}{'R':>8}{'F1':>8}  {'number':>9}{'P':>8}{'R':>8}{'F1':>8}"
    for cut, score in scores.edges.items():
        yield f"{cut:>10.2f}  {_row(score)}  {_row(scores.facts[cut])}"
    (cut, score), (fact_cut, fact) = scores.best, scores.best_fact
    yield ""
    yield f"annotated: {score.gold:,} edges, {fact.gold:,} facts"
    yield (
        f"best F1: {score.f1:.4f} over edges (from {cut:g}), {fact.f1:.4f} over facts (from {fact_cut:g}): "
        f"the merge costs {scores.gap:+.4f}"
    )
    if scores.confidence is not None:
        yield f"confidence of edges: expected calibration error {scores.confidence.ece:.4f}"


def _row(score: Score) -> str:
    return f"{score.predicted:>9,}{score.precision:>8.4f}{score.recall:>8.4f}{score.f1:>8.4f}"
