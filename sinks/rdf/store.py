"""The graph as an embedded Oxigraph store, created from the tables and again when they change."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyoxigraph
from platformdirs import user_cache_path

from schemas import TABLES, RelationSchema
from schemas.atomic_files import replacing
from sinks.rdf.prefixes import expanded
from sinks.rdf.writer import RdfWriter
from sinks.tables.tables import GraphTables
from sinks.writer import WriteError

# Name of the store in the folder of a graph.
STORE = "graph.oxigraph"
_STATE = "tables.json"
_DATABASE = "store"
# Errors of a folder that cannot be written.
_READ_ONLY = {errno.EACCES, errno.EPERM, errno.EROFS}
# Predicates of which every edge and every node has exactly one.
_ONCE = {"edges": "rdf:reifies", "nodes": "fm:mentions"}


def make_store(folder: str | Path, schema: RelationSchema) -> Path:
    """Make the store of the graph in a folder if it is missing or older than the tables, and return its path.

    It is made in the folder as `graph.oxigraph`, or in the user's cache (`XDG_CACHE_HOME`) where the folder cannot be
    written. Of several processes one makes it, and the others wait.

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
    places = (folder / STORE, _cached(folder))
    with _locked(tables.folder):
        state = _state(tables)
        for target in places:
            if _read_state(target) == state:
                return target / _DATABASE
        try:
            return _make(tables, places[0], schema, state)
        except OSError as error:
            if error.errno not in _READ_ONLY:
                raise
            return _make(tables, places[1], schema, state)


def open_store(folder: str | Path, schema: RelationSchema) -> pyoxigraph.Store:
    """Return the store of the graph in a folder, opened for reading in this process, without limits for queries.

    `sinks.questions.sparql` answers queries of others.

    Raises:
        TableError, WriteError, OSError: as `make_store`.
    """
    return pyoxigraph.Store.read_only(str(make_store(folder, schema)))


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, which ends with the process."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _make(tables: GraphTables, target: Path, schema: RelationSchema, state: dict[str, list[int]]) -> Path:
    with replacing(target) as draft:
        draft.mkdir()
        lines = draft / "graph.nt"
        counts = RdfWriter("ntriples").write(tables, lines, schema)
        store = pyoxigraph.Store(str(draft / _DATABASE))
        # The writer's terms are valid (its tests prove it), so they need no second check.
        store.bulk_load(path=str(lines), format=pyoxigraph.RdfFormat.N_TRIPLES, lenient=True)
        lines.unlink()
        store.optimize()
        for what, predicate in _ONCE.items():
            found = sum(1 for _ in store.quads_for_pattern(None, pyoxigraph.NamedNode(expanded(predicate)), None))
            if found != counts[what]:
                raise WriteError(
                    f"the RDF store holds {found:,} of {counts[what]:,} {what}: it was not put in place; try again, "
                    f"and report this if it comes back"
                )
        store.flush()
        del store
        (draft / _STATE).write_text(json.dumps(state))
    return target / _DATABASE


def _state(tables: GraphTables) -> dict[str, list[int]]:
    """Return a state that changes with the tables: size and time of every file."""
    files = [path for name in TABLES if name not in ("links", "merges", "dead_letters") for path in tables.files(name)]
    return {path.name: [path.stat().st_size, path.stat().st_mtime_ns] for path in files}


def _read_state(target: Path) -> dict[str, list[int]] | None:
    try:
        state: dict[str, list[int]] = json.loads((target / _STATE).read_text())
    except (OSError, ValueError):
        return None
    return state


def _cached(folder: Path) -> Path:
    name = hashlib.blake2b(str(folder.resolve()).encode(), digest_size=8).hexdigest()
    return user_cache_path("factmill") / f"{name}.oxigraph"
