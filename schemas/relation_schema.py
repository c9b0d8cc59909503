"""The closed set of relations that a model predicts, read from a YAML file with line-precise validation."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import yaml

from schemas.plugins import load_plugin, plugin_names, wrong_plugin
from schemas.record import Record
from schemas.rules import RuleError, Rules


class Relation(Record, frozen=True):
    """A relation.

    Attributes:
        id: identifier in the data, for example `P17`.
        label: readable name, for example `country`.
        iri: IRI of the property in RDF.
        description: one sentence.
        types: (head type, tail type) pairs that an extractor may predict; empty means any.
        expected: pairs that facts of the relation have in practice, for the rule `types`; empty means those of `types`.
        inverse: id of the inverse relation, if there is one in the schema.
        symmetric: whether head and tail may be swapped.
        max_cardinality: how many tails one head has at most; None means any number.
    """

    id: str
    label: str
    iri: str
    description: str = ""
    types: tuple[tuple[str, str], ...] = ()
    expected: tuple[tuple[str, str], ...] = ()
    inverse: str | None = None
    symmetric: bool = False
    max_cardinality: int | None = None

    @property
    def cypher_type(self) -> str:
        """Relationship type in Cypher: the label in UPPER_SNAKE."""
        return re.sub(r"[^A-Z0-9]+", "_", self.label.upper()).strip("_")

    @property
    def expected_pairs(self) -> frozenset[tuple[str, str]]:
        """The (head type, tail type) pairs that the rule `types` accepts; empty means any."""
        return frozenset(self.expected or self.types)


class RelationSchema(Record, frozen=True, dict=True, gc=True):
    """A named set of entity types and relations, in the order in which a model numbers them, and its rules."""

    name: str
    entity_types: tuple[str, ...]
    relations: tuple[Relation, ...]
    rules: Rules = Rules()

    @cached_property
    def by_id(self) -> dict[str, Relation]:
        """Relations by their id."""
        return {relation.id: relation for relation in self.relations}

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each relation id."""
        return {relation.id: position for position, relation in enumerate(self.relations)}

    def implied(self, relation: str) -> list[tuple[str, str]]:
        """Return (rule, id) of every relation that holds from tail to head wherever this one does from head to tail.

        One step suffices: `parse_relation_schema` makes sure that a second one leads back.
        """
        found = self.by_id.get(relation)
        if found is None:
            return []
        inverse = [("inverse", found.inverse)] if found.inverse not in (None, relation) else []
        return [(rule, id) for rule, id in inverse if id] + ([("symmetric", relation)] if found.symmetric else [])

    def ruled_by(self, other: RelationSchema) -> RelationSchema:
        """Return the schema with the properties of the same relations in another one, and the other's rules.

        Raises:
            SchemaError: the other schema lacks one of the relations, or names an inverse that this one lacks.
        """
        relations = []
        for own in self.relations:
            known = other.by_id.get(own.id)
            if known is None:
                raise SchemaError(f"the schema '{other.name}' has no relation '{own.id}': add it, or take another")
            if known.inverse is not None and known.inverse not in self.by_id:
                raise SchemaError(f"the inverse '{known.inverse}' of '{own.id}' is no relation of '{self.name}'")
            relations.append(
                msgspec.structs.replace(
                    own,
                    expected=known.expected or known.types,
                    inverse=known.inverse,
                    symmetric=known.symmetric,
                    max_cardinality=known.max_cardinality,
                )
            )
        return msgspec.structs.replace(self, relations=tuple(relations), rules=other.rules)


class SchemaError(ValueError):
    """A relation schema file is wrong; the message names the file, the line and the remedy."""


# The group of entry points under which distributions register relation schemas.
GROUP = "factmill.schemas"
_RELATION_KEYS = set(Relation.__struct_fields__)


class _LineLoader(yaml.SafeLoader):
    """Records the line on which every mapping, and every key in it, starts."""


def _mapping(loader: _LineLoader, node: yaml.MappingNode) -> dict[str, object]:
    loader.flatten_mapping(node)
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "a key that is no text", key.start_mark)
    value = dict(loader.construct_pairs(node, deep=True))
    value["__line__"] = node.start_mark.line + 1
    value["__lines__"] = {key.value: key.start_mark.line + 1 for key, _ in node.value}
    return value


_LineLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def builtin_schemas() -> list[str]:
    """Return the names of the schemas in the package."""
    folder = resources.files("schemas") / "relations"
    return sorted(Path(item.name).stem for item in folder.iterdir() if item.name.endswith(".yaml"))


@cache
def load_relation_schema(name_or_path: str) -> RelationSchema:
    """Read a relation schema by its name (`docred`, `cdr`, `gda`, or a registered one) or by the path of a YAML file.

    Raises:
        SchemaError: the file is missing or breaks a rule; the message names the line.
        PluginError: the schema of a distribution cannot be used.
    """
    where = f"{name_or_path}.yaml" if name_or_path in builtin_schemas() else name_or_path
    return parse_relation_schema(relation_schema_text(name_or_path), where)


def relation_schema_text(name_or_path: str) -> str:
    """Return the YAML text of a relation schema; see `load_relation_schema` for the name and what is raised.

    An entry point of the group `factmill.schemas` names the path of a YAML file, or its text.
    """
    found = load_plugin(GROUP, name_or_path, builtin_schemas())
    if found is not None:
        if isinstance(found, Path) and found.is_file():
            return found.read_text("utf-8")
        if isinstance(found, str) and "\n" in found:
            return found
        raise wrong_plugin(GROUP, name_or_path, "the Path of a YAML file, or its text", found)
    if name_or_path in builtin_schemas():
        return (resources.files("schemas") / "relations" / f"{name_or_path}.yaml").read_text("utf-8")
    path = Path(name_or_path)
    if not path.is_file():
        known = ", ".join([*builtin_schemas(), *plugin_names(GROUP)])
        raise SchemaError(f"no relation schema named '{name_or_path}': use one of {known}, or the path of a YAML file")
    return path.read_text("utf-8")


def parse_relation_schema(text: str, where: str = "schema") -> RelationSchema:
    """Parse and check the YAML text of a relation schema; `where` names it in error messages."""

    def fail(line: object, message: str) -> SchemaError:
        return SchemaError(f"{where}, line {line}: {message}")

    try:
        data = yaml.load(text, Loader=_LineLoader)  # noqa: S506 - a SafeLoader subclass
    except RecursionError:
        raise fail(1, "nested too deeply") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise fail(mark.line + 1 if mark else 1, f"not valid YAML ({getattr(error, 'problem', error)})") from None
    if not isinstance(data, dict):
        raise fail(1, "expected the keys 'name', 'entity_types' and 'relations'")
    for key in ("name", "entity_types", "relations"):
        if not data.get(key):
            raise fail(1, f"the key '{key}' is missing or empty")
        if key != "name" and not isinstance(data[key], list):
            raise fail(data["__lines__"][key], f"'{key}' is not a list")
    for type in data["entity_types"]:
        if not isinstance(type, str):
            raise fail(data["__lines__"]["entity_types"], f"entity type {type!r} is not a text: put it in quotes")
    entity_types = tuple(data["entity_types"])
    relations: list[Relation] = []
    lines: dict[str, int] = {}
    labels: dict[str, str] = {}
    for row in data["relations"]:
        if not isinstance(row, dict):
            raise fail(
                data["__lines__"]["relations"], f"relation {row!r} is not a mapping with 'id', 'label' and 'iri'"
            )
        line = row.pop("__line__")
        del row["__lines__"]
        unknown = sorted(set(row) - _RELATION_KEYS)
        if unknown:
            raise fail(line, f"unknown key '{unknown[0]}'; known keys: {', '.join(sorted(_RELATION_KEYS))}")
        for key in ("id", "label", "iri"):
            if not isinstance(row.get(key), str) or not row[key].strip():
                raise fail(line, f"'{key}' is missing or not a text")
        if row["id"] in lines:
            raise fail(line, f"id '{row['id']}' is already used on line {lines[row['id']]}")
        if re.search(r'[\s<>"{}|\\^`]', row["iri"]) or ":" not in row["iri"]:
            raise fail(line, f"'{row['iri']}' is not an absolute IRI")
        for key in ("description", "inverse"):
            if not isinstance(row.get(key, ""), str):
                raise fail(line, f"'{key}' is not a text")
        for key in ("types", "expected"):
            pairs = row.get(key, [])
            if not isinstance(pairs, list):
                raise fail(line, f"'{key}' is not a list of [head type, tail type]")
            row[key] = tuple(_type_pair(pair, entity_types, lambda m, at=line: fail(at, m)) for pair in pairs)
        lines[row["id"]] = line
        try:
            relation = Relation(**row)
            if not isinstance(relation.symmetric, bool):
                raise TypeError("'symmetric' must be true or false")
            cardinality = relation.max_cardinality
            if cardinality is not None and (not isinstance(cardinality, int) or cardinality < 1):
                raise TypeError(f"'max_cardinality' must be a positive number, not {cardinality!r}")
        except TypeError as error:
            raise fail(line, str(error)) from None
        other = labels.setdefault(relation.cypher_type, relation.id)
        if other != relation.id or not relation.cypher_type:
            raise fail(line, f"label '{relation.label}' gives the same Cypher type as that of '{other}'")
        relations.append(relation)
    for relation in relations:
        if relation.inverse is not None and relation.inverse not in lines:
            raise fail(lines[relation.id], f"inverse '{relation.inverse}' of '{relation.id}' is not in the schema")
    schema = RelationSchema(str(data["name"]), entity_types, tuple(relations), _rules(data, fail))
    for relation in relations:
        problem = _problem_of_inverse(schema, relation)
        if problem:
            raise fail(lines[relation.id], problem)
    return schema


def _rules(data: dict[str, Any], fail: Callable[[object, str], SchemaError]) -> Rules:
    levels = data.get("rules", {})
    if not isinstance(levels, dict):
        raise fail(data["__lines__"]["rules"], "'rules' is not a mapping of rules to off, warn or enforce")
    lines = levels.pop("__lines__", {})
    levels.pop("__line__", None)
    # YAML reads a bare `off` as false.
    levels = {rule: "off" if level is False else level for rule, level in levels.items()}
    for rule, level in levels.items():
        try:
            Rules().changed({rule: level})
        except RuleError as error:
            raise fail(lines[rule], str(error)) from None
    return Rules().changed(levels)


def _problem_of_inverse(schema: RelationSchema, relation: Relation) -> str | None:
    """Return why the rules of a relation would derive more edges in a second step, or None if they would not.

    For example, if father and mother both have the inverse child, then child has none: it would make every father a
    mother.
    """
    if relation.inverse in (None, relation.id):
        return None
    inverse = schema.by_id[str(relation.inverse)]
    if relation.symmetric or inverse.symmetric:
        return f"a symmetric relation is its own inverse: leave 'inverse' of '{relation.id}' out"
    if inverse.inverse not in (None, relation.id):
        return (
            f"inverse '{inverse.id}' of '{relation.id}' has the inverse '{inverse.inverse}' itself: "
            f"name '{relation.id}' there, or none"
        )
    return None


def _type_pair(pair: object, known: tuple[str, ...], fail: object) -> tuple[str, str]:
    assert callable(fail)  # noqa: S101
    if not (isinstance(pair, list) and len(pair) == 2):
        raise fail(f"type pair {pair!r} is not [head type, tail type]")
    for name in pair:
        if name not in known:
            raise fail(f"entity type '{name}' is not in entity_types ({', '.join(known)})")
    return str(pair[0]), str(pair[1])
