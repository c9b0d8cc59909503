"""Engines for tests that look at no words, in processes with only some of the measures of `confinement`.

A worker process imports this module before it takes any measure, so what is replaced here is not taken.
"""

from pathlib import Path

from sinks.questions import cypher_engine, query_worker, sparql_engine
from sinks.questions.query_limits import QueryLimits


class BlindCypherEngine(cypher_engine.CypherEngine):
    """All measures, and no look at the words of a query."""

    def __init__(self, path: Path, limits: QueryLimits) -> None:
        cypher_engine._check = lambda *_: None
        super().__init__(path, limits)


class BlindSparqlEngine(sparql_engine.SparqlEngine):
    """All measures, and no look at the words of a query."""

    def __init__(self, path: Path, limits: QueryLimits) -> None:
        sparql_engine.check_query = lambda _: None
        sparql_engine.check_without_isolation = lambda _: None
        super().__init__(path, limits)


class SealedSparqlEngine(BlindSparqlEngine):
    """No descriptor is left; nothing else."""

    @staticmethod
    def load_libraries() -> None:
        query_worker.restrict_files = lambda _: 0


class LandlockSparqlEngine(BlindSparqlEngine):
    """Landlock alone."""

    @staticmethod
    def load_libraries() -> None:
        query_worker.is_open = lambda _: False


class NamespaceSparqlEngine(BlindSparqlEngine):
    """A network of its own alone."""

    @staticmethod
    def load_libraries() -> None:
        query_worker.restrict_files = lambda _: 0
        query_worker.is_open = lambda _: False


class OpenSparqlEngine(sparql_engine.SparqlEngine):
    """No measure, as on a system that has none of them."""

    @staticmethod
    def load_libraries() -> None:
        query_worker.restrict_files = lambda _: 0
        query_worker.is_open = lambda _: False
