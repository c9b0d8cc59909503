"""`factmill export`: write a graph in another format, or to a database server."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runners.arguments.command import Command
from runners.arguments.server_uri import check_server_uri
from runners.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from pipeline.build_report import BuildReport
    from schemas import RelationSchema
    from sinks import GraphTables, RdfWriter

_ALIASES = {"nquads": "rdf", "nq": "rdf", "ttl": "turtle", "nt": "ntriples", "json-ld": "jsonld"}
_RDF_OPTIONS = {"rdf_version": "--rdf", "parts": "--parts", "compress": "--compress"}


@click.command(cls=Command, short_help="Write a graph in another format, or to a database server.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, metavar="FORMAT|URI", help="A format, or the URI of a database server.")
@click.option("--out", type=click.Path(path_type=Path), metavar="PATH", help="File or folder to write.")
@click.option(
    "--rdf",
    "rdf_version",
    type=click.Choice(["1.2", "1.1"]),
    help="Version of RDF [1.2; 1.1 for jsonld].",
)
@click.option("--parts", type=click.IntRange(min=1), metavar="N", help="Write RDF as a folder of N files.")
@click.option("--compress", type=click.Choice(["gzip", "zstd"]), help="Compress RDF.")
@click.option("--force", is_flag=True, help="Replace a file that factmill did not write.")
@click.option("--compare-all", is_flag=True, help="Servers: compare the whole graph, not only what changed.")
def export(folder: Path, target: str, out: Path | None, force: bool, compare_all: bool, **rdf: Any) -> None:
    """Write a graph in another format, or to a database server; DIR is the output folder of 'factmill build'.

    \b
    Formats:
      rdf        N-Quads of RDF 1.2    ntriples, turtle, trig, jsonld    the same graph in other syntaxes
      graphml    most graph programs   gexf                              Gephi
      node-link  JSON for networkx     csv                               a folder of four tables
      cypher     the embedded database of 'factmill query'
      neo4j-csv, neo4j-parquet    for 'neo4j-admin database import', with the command: the fastest first load

    Without --out, the output is written next to DIR: graph.ttl for the folder graph. RDF comes with a description of
    the data set (.void.ttl). An output is complete or absent, and replaces an earlier export. Files that factmill did
    not write, or that were changed since, are replaced only with --force.

    RDF 1.2 represents edges as reifiers of triple terms; --rdf 1.1 uses statement nodes as Wikidata does, which all
    tools can read.

    A database server gets the changes since the last export to it; --compare-all also reverts changes that others made
    to the graph there. User name and password come from NEO4J_USERNAME and NEO4J_PASSWORD.

    \b
    Examples:
      factmill export graph --to turtle
      factmill export graph --to turtle --rdf 1.1 --out facts.ttl
      factmill export graph --to rdf --parts 8 --compress zstd --out dump
      factmill export graph --to graphml --out graph.graphml
      factmill export graph --to csv --out tables-csv
      factmill export graph --to neo4j://localhost:7687
    """
    from pipeline.build_report import BuildReport
    from schemas.atomic_files import check_replaceable
    from sinks import GraphTables, RdfWriter, find_writer, server_writer, writer_names

    report = BuildReport.read(folder)
    schema = report.relation_schema
    tables = GraphTables.open(folder)
    given = [option for name, option in _RDF_OPTIONS.items() if rdf[name] is not None]
    if "://" in target:
        if given or out:
            raise UserError(f"{given[0] if given else '--out'} is for files: leave it out for a database server")
        warning = check_server_uri(target)
        if warning:
            click.echo(f"Warning: {warning}", err=True)
        logging.getLogger("neo4j").setLevel(logging.ERROR)  # the driver warns about errors that it retries by itself
        _say(target, server_writer(target, compare_all).write(tables, target, schema))
        return
    if compare_all:
        raise UserError(f"--compare-all is for database servers: leave it out for {target}")
    name = _ALIASES.get(target.lower(), target.lower())
    names = writer_names()
    if name not in names and target in names:
        name = target
    if name not in names:
        hint = did_you_mean(name, names) or f"; use one of {', '.join(names)}"
        raise UserError(f"no format '{target}'{hint}. Name a database server by its URI: neo4j://localhost:7687")
    writer = find_writer(name)
    if isinstance(writer, RdfWriter):
        writer = RdfWriter(writer.syntax, rdf["rdf_version"], rdf["parts"], rdf["compress"])
    elif given:
        raise UserError(f"{given[0]} is for RDF: leave it out for {name}")
    place = out or _beside(folder, writer.file, bool(rdf["parts"]))
    check_replaceable(place, force)
    if isinstance(writer, RdfWriter):
        check_replaceable(_description(place), force)
    counts = writer.write(tables, place, schema)
    if isinstance(writer, RdfWriter):
        _describe(tables, schema, report, writer, place, counts["triples"])
    _say(str(place), counts)


def _beside(folder: Path, file: str, parts: bool) -> Path:
    """Return the path next to the graph: `people` and `graph.ttl` give `people.ttl`, for a folder `people-ttl`."""
    suffix = file.removeprefix("graph")
    name = f"{folder.resolve().name}{suffix.replace('.', '-') if parts else suffix}"
    return folder.resolve().with_name(name)


def _describe(
    tables: GraphTables, schema: RelationSchema, report: BuildReport, writer: RdfWriter, place: Path, triples: int
) -> None:
    from schemas.atomic_files import replacing
    from sinks.rdf.description import describe_dataset

    files = sorted(place.glob("graph-*")) if place.is_dir() else [place]
    text = describe_dataset(
        tables,
        schema,
        triples,
        files,
        place.parent,
        writer.syntax,
        writer.compression,
        report.extractor,
        report.versions.get("factmill", ""),
    )
    with replacing(_description(place)) as draft:
        draft.write_text(text, "utf-8")


def _description(place: Path) -> Path:
    """Return the path of the description of a data set."""
    return place.with_name(f"{place.name.partition('.')[0]}.void.ttl")


def _say(place: str, counts: dict[str, int]) -> None:
    click.echo(f"{place}: {', '.join(f'{count:,} {what}' for what, count in counts.items())}")
