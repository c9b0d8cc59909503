"""Triples written per second in every RDF syntax, beside pyoxigraph and rdflib writing the same graph, in one run.

python -m benchmarks.rdf [EDGES ...] [--folder DIR]

The graph is that of benchmarks/writers.py. factmill writes it from the tables on disk; pyoxigraph and rdflib get it
loaded into their stores, which is not counted, and write it from there. Files of RDF 1.2 hold triple terms, which
rdflib does not know; beside it stands the same graph in the forms of RDF 1.1. Every writer writes to a file in the
folder. Seconds are CPU seconds of the process, kernel included, the best of the rounds of five seconds, and of three at
least (of one, where a round takes longer than 20 s); wall-clock seconds stand beside them. What else ran on the machine
meanwhile takes from the caches that all share: the report states the load.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pyarrow as pa
import pyoxigraph
import rdflib
from writers import make_graph

from benchmarks.machine import processor
from schemas import load_relation_schema
from sinks import RdfWriter
from sinks.rdf.store import open_store

ROUNDS, SECONDS = 3, 5.0
LONG = 20.0
# Edges up to which the libraries are asked, and rdflib for the syntaxes for which it would take minutes beyond.
COMPARED, SLOW = 100_000, 10_000
RESULTS = Path(__file__).parent / "results"
FORMS = (
    ("nquads", "1.2", None),
    ("ntriples", "1.2", None),
    ("turtle", "1.2", None),
    ("trig", "1.2", None),
    ("nquads", "1.2", "zstd"),
    ("nquads", "1.2", "gzip"),
    ("ntriples", "1.1", None),
    ("turtle", "1.1", None),
    ("jsonld", "1.1", None),
)
OXIGRAPH_FORMATS = {
    "nquads": pyoxigraph.RdfFormat.N_QUADS,
    "ntriples": pyoxigraph.RdfFormat.N_TRIPLES,
    "turtle": pyoxigraph.RdfFormat.TURTLE,
    "trig": pyoxigraph.RdfFormat.TRIG,
    "jsonld": pyoxigraph.RdfFormat.JSON_LD,
}
RDFLIB_FORMATS = {
    "ntriples": ("nt11", COMPARED),
    "nquads": ("nquads", COMPARED),
    "turtle": ("turtle", SLOW),
    "jsonld": ("json-ld", SLOW),
}


def best(action: Callable[[], object]) -> tuple[float, float]:
    """Return the least CPU and wall-clock seconds of some rounds."""
    rounds: list[tuple[float, float]] = []
    while not rounds or (rounds[0][1] < LONG and (len(rounds) < ROUNDS or sum(wall for _, wall in rounds) < SECONDS)):
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        rounds.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(cpu for cpu, _ in rounds), min(wall for _, wall in rounds)


def measure(edges: int, folder: Path) -> list[dict[str, object]]:
    schema = load_relation_schema("docred")
    tables = make_graph(folder, edges, schema)
    found: list[dict[str, object]] = []

    def note(writer: str, syntax: str, form: str, triples: int, action: Callable[[], object]) -> None:
        cpu, wall = best(action)
        size = (folder / "out").stat().st_size if (folder / "out").is_file() else 0
        row = {"edges": edges, "writer": writer, "syntax": syntax, "rdf": form, "triples": triples}
        found.append({**row, "bytes": size, "cpu": round(cpu, 3), "wall": round(wall, 3)})
        print(
            f"{edges:>9,}  {writer:10} {syntax:14} {form}  {cpu:8.2f} s  {triples / cpu:12,.0f} triples/s", flush=True
        )

    for syntax, form, compression in FORMS:
        writer = RdfWriter(syntax, form, compression=compression)
        triples = writer.write(tables, folder / "out", schema)["triples"]
        name = f"{syntax} {compression}" if compression else syntax
        note("factmill", name, form, triples, lambda writer=writer: writer.write(tables, folder / "out", schema))
    if edges <= COMPARED:
        for form, syntaxes in {
            "1.2": ("nquads", "ntriples", "turtle", "trig"),
            "1.1": ("ntriples", "turtle", "jsonld"),
        }.items():
            RdfWriter("ntriples", form).write(tables, folder / "graph.nt", schema)
            store = pyoxigraph.Store()
            store.bulk_load(path=str(folder / "graph.nt"), format=pyoxigraph.RdfFormat.N_TRIPLES)
            for syntax in syntaxes:
                given = OXIGRAPH_FORMATS[syntax]
                # A dump of one graph is what a format without graphs takes.
                source = None if given.supports_datasets else pyoxigraph.DefaultGraph()
                note(
                    "pyoxigraph",
                    syntax,
                    form,
                    len(store),
                    lambda store=store, given=given, source=source: store.dump(
                        str(folder / "out"), format=given, from_graph=source
                    ),
                )
            del store
    if edges <= COMPARED:
        dataset = rdflib.Dataset(default_union=True)
        graph = dataset.default_graph
        graph.parse(folder / "graph.nt", format="nt")
        for syntax, (name, most) in RDFLIB_FORMATS.items():
            if edges > most:
                continue
            target = dataset if syntax == "nquads" else graph
            note(
                "rdflib",
                syntax,
                "1.1",
                len(graph),
                lambda target=target, name=name: target.serialize(folder / "out", name, encoding="utf-8"),
            )
    began = time.perf_counter()
    triples = len(open_store(folder, schema))
    seconds = round(time.perf_counter() - began, 3)
    found.append({"edges": edges, "writer": "store", "triples": triples, "wall": seconds})
    print(f"{edges:>9,}  the store for SPARQL, made and optimised: {seconds:.1f} s, {triples / seconds:,.0f} triples/s")
    return found


def table(results: list[dict[str, object]]) -> list[str]:
    lines = [
        "| edges | writer | syntax | RDF | triples | MB | CPU s | wall s | triples per CPU second |",
        "|" + "---|" * 9,
    ]
    for row in results:
        if row["writer"] == "store":
            continue
        rate = float(str(row["triples"])) / float(str(row["cpu"]))
        lines.append(
            f"| {row['edges']:,} | {row['writer']} | {row['syntax']} | {row['rdf']} | {row['triples']:,} "
            f"| {float(str(row['bytes'])) / 1e6:,.0f} | {row['cpu']:.2f} | {row['wall']:.2f} | {rate:,.0f} |"
        )
    stores = [row for row in results if row["writer"] == "store"]
    said = (f"{row['edges']:,} edges, {row['triples']:,} triples: {row['wall']:.1f} s" for row in stores)
    return [*lines, "", f"The store for SPARQL, made from the tables (wall-clock): {'; '.join(said)}."]


def save(results: list[dict[str, object]]) -> None:
    packages = {name: version(name) for name in ("pyarrow", "pyoxigraph", "rdflib")}
    RESULTS.mkdir(exist_ok=True)
    load = round(os.getloadavg()[2], 1)
    report = {
        "machine": processor(),
        "cores": os.cpu_count(),
        "load": load,
        "rounds": ROUNDS,
        "versions": packages,
    }
    (RESULTS / "rdf.json").write_text(json.dumps({**report, "results": results}, indent=1) + "\n")
    sizes = dict.fromkeys(str(row["edges"]) for row in results)
    command = " ".join(["python -m benchmarks.rdf", *sizes])
    stated = ", ".join(f"{name} {number}" for name, number in packages.items())
    rounds = f"best of {ROUNDS} rounds or more"
    about = f"`{command}`, one thread, {rounds}; {stated}; mean load of {os.cpu_count()} cores {load}"
    head = ["# Speed of RDF", "", about, ""]
    (RESULTS / "rdf.md").write_text("\n".join([*head, *table(results)]) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("edges", type=int, nargs="*", default=[10_000, 100_000])
    parser.add_argument("--folder", type=Path, help="where to write [the folder for temporary files]")
    given = parser.parse_args()
    pa.set_cpu_count(1)
    results: list[dict[str, object]] = []
    for edges in given.edges:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            results += measure(edges, Path(folder))
        save(results)


if __name__ == "__main__":
    main()
