import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.build import BuildOptions, build
from pipeline.change import ExecutionOptions, merge, update
from pipeline.dead_letters import BuildError
from pipeline.linking.dictionary import FILE, copy_dictionary
from sinks import GraphTables
from tests.pipeline.made import digest, pubtator
from tests.rule_extractor import RuleSource

GOOD = 'alias,id,type,prior\nOld Bridge,place:1,PLACE,3\n"Bridge, Old",place:1,,\nBob Jones,person:7,,0.5\n'
RULES = {"source": RuleSource(), "writers": []}


def rows(folder):
    return [tuple(row.values()) for row in pq.read_table(folder / FILE).to_pylist()]


def test_a_csv_file_and_a_parquet_file_with_the_same_rows_are_one_dictionary(tmp_path):
    (tmp_path / "names.csv").write_text(GOOD)
    table = pa.table(
        {
            "id": ["place:1", "place:1", "person:7"],
            "alias": ["Old Bridge", "Bridge, Old", "Bob Jones"],
            "prior": [3.0, None, 0.5],
            "type": ["PLACE", None, None],
        }
    )
    pq.write_table(table, tmp_path / "names.parquet")
    expected = [("Old Bridge", "place:1", "PLACE", 3000), ("Bridge, Old", "place:1", "", 1000)]
    expected.append(("Bob Jones", "person:7", "", 500))
    for name in ("names.csv", "names.parquet"):
        copy_dictionary(tmp_path / name, tmp_path)
        assert rows(tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alias,type\nBob,PER\n", "line 1: there is no column 'id'; the columns are alias and id"),
        ("alias,id,priors\n", "line 1: unknown column 'priors'"),
        ("alias,id\nBob,person:7\nAnn,Q42\n", "line 3: the id 'Q42' has no vocabulary; write it with one"),
        ("alias,id\n ,person:7\n", "line 2: the alias is empty"),
        ("alias,id,prior\nBob,person:7,often\n", "line 2: the prior 'often' is neither a count nor a share"),
        ("alias,id,prior\nBob,person:7,-1\n", "line 2: the prior '-1' is neither a count nor a share"),
        ("alias,id\nBob,person:7,PER\n", "line 2: the row has another number of cells than the header"),
        ("alias,id\nBob\n", "line 2: the row has another number of cells than the header"),
        ("alias,id\n\xff,person:7\n", "cannot read the dictionary"),
    ],
)
def test_mistakes_are_named_with_their_line_and_what_to_do(text, message, tmp_path):
    (tmp_path / "names.csv").write_bytes(text.encode("latin-1"))
    with pytest.raises(BuildError, match=message):
        copy_dictionary(tmp_path / "names.csv", tmp_path)
    with pytest.raises(BuildError, match="cannot read the dictionary"):
        copy_dictionary(tmp_path / "missing.csv", tmp_path)
    assert not (tmp_path / FILE).exists()


def test_what_the_dictionary_names_is_linked_also_after_an_update_without_its_file(tmp_path):
    texts = [("1", "Old", "The Old Bridge is in Luton."), ("2", "Bob", "Bob Jones met Ann Bolt of Luton.")]
    for text in texts:
        (tmp_path / f"{text[0]}.txt").write_text(pubtator([text]))
    (tmp_path / "names.csv").write_text(GOOD)
    options = BuildOptions(runner="memory", workers=1, dictionary=str(tmp_path / "names.csv"))
    both = [tmp_path / "1.txt", tmp_path / "2.txt"]
    report = build(both, tmp_path / "both", options, **RULES)
    assert report.counts.linked["by dictionary"] == 2
    ids = {row["name"]: row["kb_ids"] for row in GraphTables.open(tmp_path / "both").read("nodes").to_pylist()}
    assert ids["Bob Jones"] == ["person:7"]
    assert ids["Old Bridge"] == ["place:1"]
    assert ids["Luton"] == []

    build(both[:1], tmp_path / "one", options, **RULES)
    build(both[1:], tmp_path / "other", options, **RULES)
    (tmp_path / "names.csv").unlink()
    merge(tmp_path / "one", tmp_path / "other", tmp_path / "merged", ExecutionOptions(runner="memory"), writers=[])
    assert digest(tmp_path / "merged") == digest(tmp_path / "both")
    update(tmp_path / "one", both[1:], ExecutionOptions(runner="memory"), **RULES)
    assert digest(tmp_path / "one") == digest(tmp_path / "both")


def test_graphs_with_different_dictionaries_do_not_merge(tmp_path):
    (tmp_path / "1.txt").write_text(pubtator([("1", "Old", "The Old Bridge is in Luton.")]))
    (tmp_path / "names.csv").write_text(GOOD)
    options = BuildOptions(runner="memory", workers=1)
    build([tmp_path / "1.txt"], tmp_path / "without", options, **RULES)
    options = BuildOptions(runner="memory", workers=1, dictionary=str(tmp_path / "names.csv"))
    build([tmp_path / "1.txt"], tmp_path / "with", options, **RULES)
    with pytest.raises(BuildError, match="different dictionaries"):
        merge(tmp_path / "without", tmp_path / "with", tmp_path / "out", ExecutionOptions(runner="memory"), writers=[])
