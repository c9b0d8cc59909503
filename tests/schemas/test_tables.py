import re
from pathlib import Path

import pyarrow as pa
import pytest

from schemas import SORT_KEYS, TABLES, DeadLetter, Edge, Evidence, Node


@pytest.mark.parametrize(
    ("name", "kind"), [("nodes", Node), ("edges", Edge), ("evidence", Evidence), ("dead_letters", DeadLetter)]
)
def test_columns_are_the_fields_of_the_record(name, kind):
    assert TABLES[name].names == list(kind.__struct_fields__)


def test_every_table_has_keys_and_no_nulls():
    assert TABLES.keys() == SORT_KEYS.keys()
    for name, schema in TABLES.items():
        assert set(SORT_KEYS[name]) <= set(schema.names)
        assert not any(field.nullable for field in schema)
        assert not any(pa.types.is_null(field.type) for field in schema)


def test_the_documentation_names_every_column_with_its_type():
    text = (Path(__file__).parents[2] / "docs" / "reference" / "tables.md").read_text("utf-8")
    for name, schema in TABLES.items():
        section = text.split(f"\n## {name}\n")[1].split("\n## ")[0].replace("\\<", "<").replace("\\>", ">")
        rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| [^|]+ \| [^|]+ \|$", section, re.MULTILINE)
        assert rows == [(field.name, str(field.type).replace("item: ", "")) for field in schema]
        key = section.split("Key: ")[1].split(". ")[0].split(".\n")[0]
        assert key == ("all columns" if name == "dead_letters" else ", ".join(f"`{key}`" for key in SORT_KEYS[name]))
