"""Answers to SPARQL queries as rows of Python values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pyoxigraph

from factmill.query_rows import QueryRows

_XSD = "http://www.w3.org/2001/XMLSchema#"
_NUMBERS = {"integer": int, "double": float, "float": float, "decimal": Decimal, "long": int, "int": int}


def sparql_rows(
    answer: pyoxigraph.QuerySolutions | pyoxigraph.QueryBoolean | list[pyoxigraph.Triple],
) -> QueryRows:
    """Return the answer to a query of any form as rows."""
    if isinstance(answer, pyoxigraph.QueryBoolean):
        return QueryRows(("answer",), ((bool(answer),),))
    if isinstance(answer, list):
        rows = sorted({(_value(t.subject), _value(t.predicate), _value(t.object)) for t in answer}, key=str)
        return QueryRows(("subject", "predicate", "object"), tuple(rows))
    columns = tuple(variable.value for variable in answer.variables)
    return QueryRows(columns, tuple(tuple(_value(term) for term in solution) for solution in answer))


def _value(term: Any) -> Any:
    """Return a term as a Python value: literals by their type, IRIs as texts, triple terms as N-Triples has them."""
    match term:
        case None:
            return None
        case pyoxigraph.NamedNode():
            return term.value
        case pyoxigraph.Literal():
            kind = term.datatype.value.removeprefix(_XSD)
            if kind == "boolean":
                return term.value in ("true", "1")
            try:
                return _NUMBERS.get(kind, str)(term.value)
            except (ValueError, ArithmeticError):  # a literal that its type does not allow
                return term.value
        case _:
            return str(term)
