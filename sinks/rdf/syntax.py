"""The syntaxes of RDF: N-Triples and N-Quads, Turtle and TriG, JSON-LD.

A sink describes statements once, as columns: `Block`s of subjects with `Statement`s about them. A syntax turns them
into one text per row, in one pass over the columns. Everything is in the default graph, so that SPARQL needs no GRAPH
clause; N-Quads are then N-Triples, and TriG is Turtle.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sinks.rdf.prefixes import PREFIXES, expanded, shortened
from sinks.tables.arrow_text import Pieces, concat, escaped, grouped, taken


@dataclass(frozen=True)
class Statement:
    """Statements with one predicate about the subjects of a block.

    Attributes:
        predicate: a prefixed name such as `rdfs:label`, or the pieces of one predicate per object.
        objects: the objects in the syntax.
        rows: for each object the row of its subject, ascending; None: one object for each subject.
        link: whether the objects are IRIs.
    """

    predicate: str | Pieces
    objects: Pieces
    rows: pa.Array | None = None
    link: bool = False


@dataclass(frozen=True)
class Block:
    """Subjects in the syntax, and the statements about them; the first statement has an object for each.

    Attributes:
        rows: for each subject the row to which it belongs, ascending; None: a subject for each row.
    """

    subjects: Pieces
    statements: Sequence[Statement]
    rows: pa.Array | None = None


class Syntax(ABC):
    """Writes terms as pieces of text, and blocks of statements as one text per row.

    Attributes:
        header, footer: the beginning and the end of every file.
        separator: the beginning of every block except the first of a file.
    """

    header: str = ""
    footer: str = ""
    separator: str = ""

    @abstractmethod
    def named(self, prefix: str, names: pa.Array) -> Pieces:
        """Return IRIs made of the namespace of a prefix and percent-encoded names."""

    @abstractmethod
    def iris(self, iris: pa.Array) -> Pieces:
        """Return full IRIs."""

    @abstractmethod
    def word(self, name: str) -> str:
        """Return the IRI of a prefixed name such as `fm:Document`, the same in all rows."""

    @abstractmethod
    def number(self, values: pa.Array, datatype: str) -> Pieces:
        """Return numbers with the local name of their datatype in XML Schema."""

    @abstractmethod
    def block(self, block: Block, rows: int) -> Pieces:
        """Return the texts of a block, one per subject, ignoring its `rows`; `rows` is the number of subjects."""

    def text(self, values: pa.Array) -> Pieces:
        """Return texts as literals. N-Triples, Turtle and JSON agree on quotes and escapes."""
        return ['"', escaped(values), '"']

    def triple(self, subject: Pieces, predicate: Pieces, object: Pieces) -> Pieces:
        """Return triples as terms of RDF 1.2."""
        return ["<<( ", *subject, " ", *predicate, " ", *object, " )>>"]

    def spell(self, blocks: Sequence[Block], rows: int) -> pa.Array:
        """Return one text per row with all statements of the blocks about it."""
        pieces: Pieces = []
        for block in blocks:
            if block.rows is None:
                pieces += self.block(block, rows)
            else:
                texts = concat(self.block(block, len(block.rows)), len(block.rows))
                pieces.append(grouped(texts, block.rows, rows))
        return concat(pieces, rows)


class Lines(Syntax):
    """N-Triples and N-Quads: one statement per line, with full IRIs."""

    def named(self, prefix: str, names: pa.Array) -> Pieces:
        return [f"<{PREFIXES[prefix]}", names, ">"]

    def iris(self, iris: pa.Array) -> Pieces:
        return ["<", iris, ">"]

    def word(self, name: str) -> str:
        return f"<{expanded(name)}>"

    def number(self, values: pa.Array, datatype: str) -> Pieces:
        return ['"', values.cast(pa.string()), f'"^^<{PREFIXES["xsd"]}{datatype}>']

    def block(self, block: Block, rows: int) -> Pieces:
        pieces: Pieces = []
        for statement in block.statements:
            predicate = statement.predicate
            rest = [" ", *([self.word(predicate)] if isinstance(predicate, str) else predicate), " "]
            if statement.rows is None:
                pieces += [*block.subjects, *rest, *statement.objects, " .\n"]
            else:
                line = [*taken(block.subjects, statement.rows), *rest, *statement.objects, " .\n"]
                pieces.append(grouped(concat(line, len(statement.rows)), statement.rows, rows))
        return pieces


class Turtle(Syntax):
    """Turtle and TriG: one block per subject, with prefixed names where possible."""

    header = "".join(f"@prefix {prefix}: <{base}> .\n" for prefix, base in PREFIXES.items()) + "\n"

    def named(self, prefix: str, names: pa.Array) -> Pieces:
        return _where_plain(names, [f"{prefix}:", names], [f"<{PREFIXES[prefix]}", names, ">"])

    def iris(self, iris: pa.Array) -> Pieces:
        return ["<", iris, ">"]

    def word(self, name: str) -> str:
        return name

    def number(self, values: pa.Array, datatype: str) -> Pieces:
        text = values.cast(pa.string())
        return [text] if datatype == "integer" else ['"', text, f'"^^xsd:{datatype}']

    def block(self, block: Block, rows: int) -> Pieces:
        pieces: Pieces = [*block.subjects]
        for number, statement in enumerate(block.statements):
            predicate = statement.predicate
            before = " ;\n    " if number else " "
            rest = [before, *([predicate] if isinstance(predicate, str) else predicate), " ", *statement.objects]
            if statement.rows is None:
                pieces += rest
            else:
                pieces.append(grouped(concat(rest, len(statement.rows)), statement.rows, rows))
        return [*pieces, " .\n"]


class JsonLd(Syntax):
    """JSON-LD: one object per line in the array `@graph`; it has no triple terms."""

    header = '{"@context": ' + json.dumps(PREFIXES) + ',\n "@graph": [\n'
    footer = "\n]}\n"
    separator = ",\n"

    def named(self, prefix: str, names: pa.Array) -> Pieces:
        return _where_plain(names, [f'"{prefix}:', names, '"'], [f'"{PREFIXES[prefix]}', names, '"'])

    def iris(self, iris: pa.Array) -> Pieces:
        return ['"', iris, '"']

    def word(self, name: str) -> str:
        return f'"{name}"'

    def number(self, values: pa.Array, datatype: str) -> Pieces:
        """Return integers as JSON numbers, others as typed literals: JSON-LD rounds decimals to 16 digits."""
        text = values.cast(pa.string())
        return [text] if datatype == "integer" else ['{"@type": "xsd:', datatype, '", "@value": "', text, '"}']

    def block(self, block: Block, rows: int) -> Pieces:
        pieces: Pieces = [',\n{"@id": ', *block.subjects]
        for statement in block.statements:
            predicate = statement.predicate
            typed = predicate == "rdf:type"
            key: Pieces = ['"@type"' if typed else f'"{predicate}"'] if isinstance(predicate, str) else predicate
            values = ['{"@id": ', *statement.objects, "}"] if statement.link and not typed else statement.objects
            if statement.rows is None:
                pieces += [", ", *key, ": ", *values]
            else:
                counts = np.bincount(statement.rows.to_numpy(), minlength=rows)
                ends = pa.array(np.concatenate([[0], np.cumsum(counts)]).astype(np.int32))
                lists = pa.ListArray.from_arrays(ends, concat(values, len(statement.rows)))
                pieces += [", ", *key, ": [", pc.binary_join(lists, ", "), "]"]
        return [*pieces, "}"]


SYNTAXES: dict[str, type[Syntax]] = {
    "nquads": Lines,
    "ntriples": Lines,
    "turtle": Turtle,
    "trig": Turtle,
    "jsonld": JsonLd,
}


def brief(syntax: Syntax, iris: Sequence[str]) -> pa.Array:
    """Return IRIs as predicates of a syntax: prefixed names where possible."""
    names = [shortened(iri) for iri in iris]
    whole = concat(syntax.iris(pa.array(iris, pa.string())), len(iris)).to_pylist()
    return pa.array([syntax.word(name) if name else iri for name, iri in zip(names, whole, strict=True)], pa.string())


def count(blocks: Sequence[Block], rows: int) -> int:
    """Return the number of statements in blocks with a number of rows."""
    found = 0
    for block in blocks:
        subjects = rows if block.rows is None else len(block.rows)
        found += sum(subjects if statement.rows is None else len(statement.rows) for statement in block.statements)
    return found


def _where_plain(names: pa.Array, short: Pieces, whole: Pieces) -> Pieces:
    """Return the short form of names that consist of letters, digits and `_`, and the full form of others."""
    plain = pc.match_substring_regex(names, "^[A-Za-z0-9_]+$")
    if pc.all(plain).as_py():
        return short
    return [pc.if_else(plain, concat(short, len(names)), concat(whole, len(names)))]
