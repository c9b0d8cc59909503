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
