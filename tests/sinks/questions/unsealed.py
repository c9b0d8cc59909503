"""A Cypher engine in a process that can open files."""

from sinks.questions import query_worker
from sinks.questions.cypher_engine import CypherEngine

query_worker.leave_network = lambda: False
query_worker.restrict_files = lambda _: 0
query_worker.is_open = lambda _: False


class UnsealedCypherEngine(CypherEngine):
    """The engine as it is."""
