import pytest

from runners.arguments.recipe_overrides import data_files, default_recipe, fitting_relations
from runners.errors import UserError
from schemas import Document, Entity, Fact, Mention


def document(id, types, *relations):
    tokens = tuple((i, i + 1) for i in range(len(types)))
    entities = tuple(Entity((Mention(i, i + 1, type),), type) for i, type in enumerate(types))
    facts = tuple(Fact(0, relation, 1) for relation in relations)
    return Document(
        id=id, source="s", title=id, text="x" * len(types), tokens=tokens, sentences=((0, len(types)),),
        entities=entities, facts=facts,
    )  # fmt: skip


DISEASES = [document("a", ["Chemical", "Disease"], "CID"), document("b", ["Disease", "Chemical"])]


def test_the_schema_follows_from_the_data():
    assert fitting_relations(DISEASES) == "cdr"
    assert fitting_relations([document("a", ["PER", "LOC"], "P19")]) == "docred"
    with pytest.raises(UserError, match=r"all of the documents' types \(Chemical, PER\).*--relations FILE"):
        fitting_relations([document("a", ["Chemical", "PER"], "P19")])


@pytest.mark.parametrize(("count", "parts"), [(1, (":1", "0:")), (2, (":1", "1:")), (5, (":3", "3:"))])
def test_what_is_chosen_on_one_half_is_reported_on_the_other(count, parts):
    recipe = default_recipe("hin", False, {"train": DISEASES, "dev": DISEASES[:1] * count}, None)
    assert (recipe.selection.documents, recipe.report.documents) == parts
    assert (recipe.relations, recipe.loss, recipe.joint) == ("cdr", "bce", False)


def test_a_file_alone_is_the_training_file_even_with_an_equals_sign_in_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a=b.json", "dev.json"):
        (tmp_path / name).write_text("[]")
    files = data_files(["a=b.json"], tmp_path / "dev.json")
    assert {name: path.name for name, path in files.items()} == {"train": "a=b.json", "dev": "dev.json"}
