"""The graph as an embedded Oxigraph store, made from the tables once and made again when they change."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyoxigraph
from platformdirs import user_cache_path

from schemas import TABLES, RelationSchema
from schemas.atomic_files import replacing
from sinks.rdf.iris import expanded
from sinks.rdf.writer import RdfWriter
from sinks.tables.tables import GraphTables
from sinks.writer import WriteError

# Name of the store in the folder of a graph.
STORE = "graph.oxigraph"
_STATE = "tables.json"
# What every edge and every node says exactly once.
_ONCE = {"edges": "rdf:reifies", "nodes": "fm:mentions"}


def open_store(folder: str | Path, schema: RelationSchema) -> pyoxigraph.Store:
    """Return the store of the graph in a folder, opened for reading; several processes may have it open.

    It is made when it is missing or older than the tables: in the folder as `graph.oxigraph`, or in the user's cache
    (`XDG_CACHE_HOME`) where the folder of the graph cannot be written.

    Args:
        folder: the output folder of a build.
        schema: the relation schema that the graph was built with.

    Raises:
        TableError: the tables are missing or incomplete.
        WriteError: the store does not hold what the tables hold.
        OSError: there is no room for the store.
    """
    folder = Path(folder)
    tables = GraphTables.open(folder)
    state = _state(tables)
    target = folder / STORE
    if _read_state(target) != state:
        try:
            _make(tables, target, schema, state)
        except PermissionError:
            target = _elsewhere(folder)
            if _read_state(target) != state:
                _make(tables, target, schema, state)
    return pyoxigraph.Store.read_only(str(target / "store"))


def _make(tables: GraphTables, target: Path, schema: RelationSchema, state: dict[str, list[int]]) -> None:
    with replacing(target) as draft:
        draft.mkdir()
        lines = draft / "graph.nt"
        counts = RdfWriter("ntriples").write(tables, lines, schema)
        store = pyoxigraph.Store(str(draft / "store"))
        # The writer spells terms as the standard wants them (its tests prove it), so they need no second check.
        store.bulk_load(path=str(lines), format=pyoxigraph.RdfFormat.N_TRIPLES, lenient=True)
        lines.unlink()
        store.optimize()
        for what, predicate in _ONCE.items():
            held = sum(1 for _ in store.quads_for_pattern(None, pyoxigraph.NamedNode(expanded(predicate)), None))
            if held != counts[what]:
                raise WriteError(
                    f"the RDF store holds {held:,} of {counts[what]:,} {what}: it was not put in place; try again, and "
                    f"report this if it comes back"
                )
        store.flush()
        del store
        (draft / _STATE).write_text(json.dumps(state))


def _state(tables: GraphTables) -> dict[str, list[int]]:
    """Return what changes when the tables do: size and time of every file."""
    files = [path for name in TABLES if name not in ("links", "merges", "dead_letters") for path in tables.files(name)]
    return {path.name: [path.stat().st_size, path.stat().st_mtime_ns] for path in files}


def _read_state(target: Path) -> dict[str, list[int]] | None:
    try:
        state: dict[str, list[int]] = json.loads((target / _STATE).read_text())
    except (OSError, ValueError):
        return None
    return state


def _elsewhere(folder: Path) -> Path:
    name = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()
    return user_cache_path("factmill") / f"{name}.oxigraph"
