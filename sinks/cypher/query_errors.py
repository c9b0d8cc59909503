"""Turns the Cypher database's message about a wrong query into what to write instead."""

from __future__ import annotations

import re

import ladybug
from rapidfuzz import process

from sinks.cypher.statement import run_statement
from sinks.labels import DOCUMENT, ENTITY

# Relationship types that a message names at most.
_SHOWN = 8


def explain(message: str, cypher: str, connection: ladybug.Connection) -> str:
    """Return one sentence that explains the database's `message` to the person who wrote the query."""
    short = first_line(message)
    if "read-only" in message:
        return "a query only reads, and this one writes: graphs are changed by 'factmill build'"
    if match := re.search(r"Table (.+) does not exist", short):
        return _unknown_label(match[1], connection)
    if match := re.search(r"Cannot find property (.+) for (.+?)\.?$", short):
        return _unknown_property(match[1], match[2], connection)
    if "shortestPath" in short:
        return "there is no shortestPath() here: write MATCH p = (a)-[* SHORTEST 1..6]-(b) RETURN p"
    if "not in scope" in short and re.search(r"\[\s*\w+\s+IN\b", cypher, re.I):
        return "there are no list comprehensions here: for a path p write properties(nodes(p), 'name')"
    if match := re.search(r"function (\w+) does not exist", short):
        return f"there is no function {match[1].lower()}() in this dialect of Cypher"
    if match := re.search(r"\(line: (\d+), offset: (\d+)\)", message):
        return _unreadable(cypher, int(match[1]), int(match[2]))
    if re.search(r"buffer pool is full|unable to allocate", message, re.I):
        return (
            "the query needs more memory than it may take: name labels, set a LIMIT, and write two MATCH clauses in "
            "place of one with a comma"
        )
    return f"the query cannot be answered: {short}"


def first_line(message: str) -> str:
    """Return the first line of a message of the database, without the name of its exception."""
    return re.sub(r"^(?:\w+ exception: )+", "", message.partition("\n")[0].strip())


def _unreadable(cypher: str, line: int, offset: int) -> str:
    lines = cypher.splitlines()
    rest = lines[line - 1][offset:].strip() if line <= len(lines) else ""
    place = f"at '{rest[:30]}' in line {line}, column {offset + 1}" if rest else "at its end"
    return f"the query cannot be read {place}: look for a missing bracket, quote or keyword before it"


def _unknown_label(name: str, connection: ladybug.Connection) -> str:
    nodes, relationships = _labels(connection)
    if name == ENTITY:
        return f"a node has one label here, more specific than ':{ENTITY}': name some, (n:{'|'.join(nodes)})"
    close = process.extract(name, relationships, processor=_words, limit=_SHOWN)
    return (
        f"no label or relationship type '{name}'. Labels: {', '.join(nodes)}, {DOCUMENT}. "
        f"The closest of {len(relationships)} relationship types: {', '.join(found for found, _, _ in close)}; "
        f"all of them: CALL show_tables() RETURN name, type"
    )


def _words(name: str) -> str:
    return name.replace("_", " ").lower()


def _unknown_property(name: str, variable: str, connection: ladybug.Connection) -> str:
    nodes, relationships = _labels(connection)
    of_nodes, of_relationships, of_documents = (
        ", ".join(_properties(connection, label)) for label in (nodes[0], relationships[0], DOCUMENT)
    )
    return (
        f"'{variable}' has no property '{name}'. Nodes have {of_nodes}; "
        f"relationships have {of_relationships}; documents have {of_documents}"
    )


def _labels(connection: ladybug.Connection) -> tuple[list[str], list[str]]:
    """Return the labels of entities and the relationship types."""
    rows = list(run_statement(connection, "CALL show_tables() RETURN name, type")[1])
    nodes, relationships = (sorted(name for name, kind in rows if kind == wanted) for wanted in ("NODE", "REL"))
    nodes.remove(DOCUMENT)
    return nodes, relationships


def _properties(connection: ladybug.Connection, label: str) -> list[str]:
    # A label comes from the database itself and holds word characters only.
    return [name for (name,) in run_statement(connection, f"CALL table_info('{label}') RETURN name")[1]]
