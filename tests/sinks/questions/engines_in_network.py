"""The engines of `engines` in processes that keep the network of this machine."""

from sinks.questions import query_worker
from tests.sinks.questions.engines import (
    BlindCypherEngine,
    LandlockSparqlEngine,
    OpenSparqlEngine,
    SealedSparqlEngine,
)

query_worker.leave_network = lambda: False

__all__ = ["BlindCypherEngine", "LandlockSparqlEngine", "OpenSparqlEngine", "SealedSparqlEngine"]
