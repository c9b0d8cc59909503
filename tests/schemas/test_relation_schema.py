import pickle

import pytest

from schemas import (
    RuleError,
    Rules,
    SchemaError,
    builtin_schemas,
    load_relation_schema,
    parse_levels,
    parse_relation_schema,
)

SOUND = """\
name: family
entity_types: [PER, LOC]
relations:
  - {id: P22, label: father, iri: "http://example.org/P22", types: [[PER, PER]], inverse: P40}
  - id: P40
    label: child
    iri: "http://example.org/P40"
  - {id: P19, label: "place of birth", iri: "http://example.org/P19", max_cardinality: 1, symmetric: false}
"""


def test_a_schema_of_ones_own():
    schema = parse_relation_schema(SOUND)
    assert (schema.name, schema.entity_types) == ("family", ("PER", "LOC"))
    assert [relation.id for relation in schema.relations] == ["P22", "P40", "P19"]
    assert schema.index == {"P22": 0, "P40": 1, "P19": 2}
    assert schema.by_id["P22"].types == (("PER", "PER"),)
    assert schema.by_id["P22"].inverse == "P40"
    assert schema.by_id["P19"].cypher_type == "PLACE_OF_BIRTH"
    assert pickle.loads(pickle.dumps(schema)) == schema


def test_from_a_file(tmp_path):
    path = tmp_path / "family.yaml"
    path.write_text(SOUND)
    assert load_relation_schema(str(path)) == parse_relation_schema(SOUND)
    path = tmp_path / "broken.yaml"
    path.write_text(SOUND.replace("label: father, ", ""))
    with pytest.raises(SchemaError, match=r"broken.yaml, line 4: 'label' is missing"):
        load_relation_schema(str(path))


def test_the_schemas_that_come_along():
    assert builtin_schemas() == ["cdr", "docred", "gda"]
    docred = load_relation_schema("docred")
    assert len(docred.relations) == 96
    assert docred.entity_types == ("PER", "ORG", "LOC", "TIME", "NUM", "MISC")
    for relation in docred.relations:
        assert relation.iri == f"http://www.wikidata.org/prop/direct/{relation.id}"
        assert relation.description
        assert relation.inverse is None or relation.inverse in docred.by_id
    assert docred.by_id["P19"].label == "place of birth"
    assert load_relation_schema("cdr").relations[0].types == (("Chemical", "Disease"),)
    assert load_relation_schema("gda").entity_types == ("Gene", "Disease")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        SchemaError, match="no relation schema named 'docret': use one of cdr, docred, gda, or the path"
    ):
        load_relation_schema("docret")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (SOUND, "", "line 1: expected the keys 'name', 'entity_types' and 'relations'"),
        (SOUND, "- a list", "line 1: expected the keys"),
        ("name: family", "nom: family", "line 1: the key 'name' is missing"),
        ("entity_types: [PER, LOC]", "entity_types: []", "line 1: the key 'entity_types' is missing or empty"),
        ("[PER, LOC]", "[PER, LOC", "not valid YAML"),
        ("    label: child\n", "    label: child\n    label2: x\n", "line 5: unknown key 'label2'; known keys: desc"),
        ("    label: child\n", "", "line 5: 'label' is missing or not a text"),
        ("label: child", "label: [child]", "line 5: 'label' is missing or not a text"),
        ("id: P40", "id: P22", "line 5: id 'P22' is already used on line 4"),
        ("http://example.org/P40", "no iri", "line 5: 'no iri' is not an absolute IRI"),
        ("http://example.org/P40", "P40", "line 5: 'P40' is not an absolute IRI"),
        ("[[PER, PER]]", "[[PER, ORG]]", r"line 4: entity type 'ORG' is not in entity_types \(PER, LOC\)"),
        ("[[PER, PER]]", "[[PER]]", r"line 4: type pair \['PER'\] is not \[head type, tail type\]"),
        ("inverse: P40", "inverse: P41", "line 4: inverse 'P41' of 'P22' is not in the schema"),
        ("label: child", "label: Father!", "line 5: label 'Father!' gives the same Cypher type as that of 'P22'"),
        ("label: child", "label: '!?'", "line 5: label '!\\?' gives"),
        ("max_cardinality: 1", "max_cardinality: 0", "line 8: 'max_cardinality' must be a positive number, not 0"),
        ("max_cardinality: 1", "max_cardinality: many", "line 8: 'max_cardinality' must be .*'many'"),
        ("symmetric: false", "symmetric: perhaps", "line 8: 'symmetric' must be true or false"),
        (
            "  - id: P40\n    label: child\n    iri: ",
            "  - child\n  - id: P40\n    label: child\n    iri: ",
            "line 3: relation 'child' is not a mapping",
        ),
        ("[PER, LOC]", "[PER, NO]", "line 2: entity type False is not a text: put it in quotes"),
        ("[PER, LOC]", "PER", "line 2: 'entity_types' is not a list"),
        ("label: father,", "label: father, description: [a],", "line 4: 'description' is not a text"),
        ("types: [[PER", "expected: [[LOG", r"line 4: entity type 'LOG' is not in entity_types \(PER, LOC\)"),
        ("relations:", "rules: 3\nrelations:", "line 3: 'rules' is not a mapping"),
        (
            "relations:",
            "rules:\n  types: on\nrelations:",
            "line 4: the rule 'types' cannot be True: use one of off, warn",
        ),
        ("relations:", "rules: {colour: warn}\nrelations:", "line 3: no rule 'colour': use one of inverse, symm"),
        (
            "label: child",
            "label: child\n    inverse: P19",
            "line 4: inverse 'P40' of 'P22' has the inverse 'P19' itself",
        ),
        ("label: child", "label: child\n    symmetric: true", "line 4: a symmetric relation is its own inverse"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(old, new, message):
    assert old in SOUND
    with pytest.raises(SchemaError, match=message) as caught:
        parse_relation_schema(SOUND.replace(old, new), "family.yaml")
    assert str(caught.value).startswith("family.yaml, line ")


@pytest.mark.parametrize(
    "text",
    [
        "name: x\nentity_types: 3\nrelations: [{id: a, label: a, iri: 'x:a'}]",
        "name: x\nentity_types: PER\nrelations: [{id: a, label: a, iri: 'x:a'}]",
        "name: x\nentity_types: [PER]\nrelations: 3",
        "name: x\nentity_types: [PER]\nrelations: {id: a}",
        "name: x\nentity_types: [PER]\nrelations: [{id: a, label: a, iri: 'x:a', types: 3}]",
        "name: x\nentity_types: [PER]\nrelations: [{id: a, label: a, iri: 'x:a', inverse: [b]}]",
        "name: x\nentity_types: [PER]\nrelations: [{id: a, label: a, iri: 'x:a', description: {a: b}}]",
        "? [a]\n: b",
        "!!python/object/apply:os.system ['true']",
    ],
)
def test_wrong_shapes_are_schema_errors_too(text):
    with pytest.raises(SchemaError, match=r"^schema, line "):
        parse_relation_schema(text)


def test_rules_have_levels():
    assert parse_relation_schema(SOUND).rules == Rules("warn", "warn", "warn", "warn")
    schema = parse_relation_schema(SOUND.replace("relations:", "rules: {inverse: off, types: enforce}\nrelations:"))
    assert schema.rules == Rules(inverse="off", types="enforce")
    assert schema.rules.changed({"inverse": "warn"}) == Rules(types="enforce")
    assert parse_levels(" inverse=enforce, functional=warn,") == {"inverse": "enforce", "functional": "warn"}
    for wrong, message in [("inverse", "not RULE=LEVEL"), ("colour=warn", "no rule 'colour'"), ("types=on", "'on'")]:
        with pytest.raises(RuleError, match=message):
            Rules().changed(parse_levels(wrong))


def test_what_relations_imply():
    docred = load_relation_schema("docred")
    assert docred.implied("P22") == docred.implied("P25") == [("inverse", "P40")]
    assert docred.implied("P26") == [("symmetric", "P26")]
    assert docred.implied("P40") == docred.implied("unknown") == []
    for relation in docred.relations:
        for _, implied in docred.implied(relation.id):
            # A second step leads back or nowhere.
            assert {id for _, id in docred.implied(implied)} <= {relation.id}


def test_a_schema_takes_over_what_another_one_knows():
    old = parse_relation_schema(SOUND)
    new = SOUND.replace("inverse: P40", "expected: [[PER, LOC]], max_cardinality: 1").replace(
        "relations:", "rules: {types: enforce}\nrelations:"
    )
    ruled = old.ruled_by(parse_relation_schema(new))
    assert ruled.rules.types == "enforce"
    father = ruled.by_id["P22"]
    assert (father.types, father.expected, father.inverse) == ((("PER", "PER"),), (("PER", "LOC"),), None)
    assert ruled.index == old.index
    with pytest.raises(SchemaError, match="the schema 'cdr' has no relation 'P22'"):
        old.ruled_by(load_relation_schema("cdr"))
