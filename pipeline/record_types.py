"""The record types that PCollections hold, each with a deterministic coder."""

from __future__ import annotations

from pipeline.beam.coders import register_record_coders
from pipeline.linking.dictionary import DictionaryEntry
from pipeline.linking.target_profiles import TargetProfile
from pipeline.merging.independence import DocumentEdges
from pipeline.resolution.clustering import Match
from pipeline.resolution.node_profiles import NodeProfile
from pipeline.store.shard_updates import ShardUpdate
from schemas import (
    DeadLetter,
    Document,
    Edge,
    Evidence,
    Extraction,
    LinkedEntity,
    MergedNode,
    Node,
    Record,
    Redirect,
    Removal,
    Skipped,
)

RECORDS: tuple[type[Record], ...] = (
    Document,
    Extraction,
    DeadLetter,
    Skipped,
    Removal,
    Redirect,
    DocumentEdges,
    ShardUpdate,
    NodeProfile,
    Match,
    LinkedEntity,
    MergedNode,
    DictionaryEntry,
    TargetProfile,
    Node,
    Edge,
    Evidence,
)


def register_coders() -> None:
    """Make Beam encode every record type with `RecordCoder`; called before a pipeline is constructed."""
    register_record_coders(RECORDS)
