"""`factmill sparql`: query a graph in SPARQL."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.command import Command
from runners.arguments.query_limits import limit_options, naming_limits, query_limits
from runners.display.quantities import counted
from runners.display.terminal import print_table, printable
from runners.errors import UserError

if TYPE_CHECKING:
    import pyoxigraph


@click.command(cls=Command, short_help="Query a graph in SPARQL.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("sparql", metavar="SPARQL")
@click.option("--json", "style", flag_value="JSON", help="Print SPARQL results as JSON.")
@click.option("--csv", "style", flag_value="CSV", help="Print CSV with a header line.")
@click.option("--tsv", "style", flag_value="TSV", help="Print TSV, whose terms are written as in Turtle.")
@click.option("--xml", "style", flag_value="XML", help="Print SPARQL results as XML.")
@limit_options(default_memory=2048)
def sparql(folder: Path, sparql: str, style: str | None, **limits: Any) -> None:
    """Query a graph in SPARQL; DIR is the output folder of 'factmill build', SPARQL a query, or - for standard input.

    The first query loads the graph into DIR/graph.oxigraph; later queries use it until the graph changes. Queries are
    read-only. Prefixes need no declaration: fm, node, edge, document, type, wdt, mesh, rdf, rdfs, skos, prov, nif and
    others (docs/reference/rdf.md). An edge is an RDF 1.2 reifier, which has its confidence, documents and evidence
    sentences.

    CONSTRUCT and DESCRIBE print Turtle, ASK prints true or false.

    \b
    Examples:
      factmill sparql graph 'SELECT ?name ?type { ?node rdfs:label ?name ; a ?type } LIMIT 10'
      factmill sparql graph 'SELECT ?who ?where { ?a wdt:P19 ?b . ?a rdfs:label ?who . ?b rdfs:label ?where }'
      factmill sparql graph 'SELECT ?a ?p ?b ?c { ?edge rdf:reifies <<( ?a ?p ?b )>> ; fm:confidence ?c }
                             ORDER BY DESC(?c) LIMIT 10' --csv
      factmill sparql graph 'SELECT ?text { ?edge rdf:reifies <<( ?a wdt:P22 ?b )>> ; fm:evidence/nif:anchorOf ?text }'
      factmill sparql graph 'DESCRIBE ?x { ?x rdfs:label "Ada Lovelace" }'
      factmill sparql graph - < question.rq
    """
    import pyoxigraph

    from runners.arguments.run_report import relation_schema
    from sinks.questions.sparql import SparqlStore

    text = sys.stdin.read() if sparql == "-" else sparql
    with naming_limits(), SparqlStore(folder, relation_schema(folder), query_limits(**limits)) as store:
        answer = store.query(text)
    if isinstance(answer, list):
        if style is not None:
            raise UserError(f"CONSTRUCT and DESCRIBE give triples, which --{style.lower()} cannot show: leave it out")
        click.echo(_turtle(answer), nl=False)
    elif style is not None:
        given = getattr(pyoxigraph.QueryResultsFormat, style)
        if isinstance(answer, pyoxigraph.QueryBoolean) and style in {"CSV", "TSV"}:
            raise UserError(f"ASK gives true or false, for which there is no {style}: leave --{style.lower()} out")
        click.echo(answer.serialize(format=given), nl=style in {"JSON", "XML"})
    elif isinstance(answer, pyoxigraph.QueryBoolean):
        click.echo("true" if answer else "false")
    else:
        _print_solutions(answer)


def _turtle(triples: list[pyoxigraph.Triple]) -> bytes:
    import pyoxigraph

    from sinks.rdf.prefixes import PREFIXES

    return pyoxigraph.serialize(triples, format=pyoxigraph.RdfFormat.TURTLE, prefixes=PREFIXES) or b""


def _print_solutions(answer: pyoxigraph.QuerySolutions) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for variable in answer.variables:
        table.add_column(Text(printable(variable.value)), overflow="fold")
    rows = 0
    for solution in answer:
        table.add_row(*(Text(printable(_shown(term))) for term in solution))
        rows += 1
    print_table(table)
    click.echo(counted(rows, "row"))


def _shown(term: object) -> str:
    """Return a term as people read it: texts and numbers bare, IRIs by prefixed names where they have any."""
    import pyoxigraph

    from sinks.rdf.prefixes import shortened

    match term:
        case pyoxigraph.Literal():
            return term.value
        case pyoxigraph.NamedNode():
            return shortened(term.value) or f"<{term.value}>"
        case pyoxigraph.Triple():
            return f"<<( {_shown(term.subject)} {_shown(term.predicate)} {_shown(term.object)} )>>"
        case None:
            return ""
        case _:
            return str(term)
