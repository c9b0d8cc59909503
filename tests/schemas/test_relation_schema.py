import pickle

import pytest

from schemas import SchemaError, builtin_schemas, load_relation_schema, parse_relation_schema

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
        ("id: P40", "id: P22", "line 5: id 'P22' stands already on line 4"),
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
