"""The reader that docs/how-to/add-a-reader.md shows works, from a package of a user and in one process."""

import gzip
import re
from pathlib import Path

import pytest

from pipeline.readers import FORMATS, Format, read_path, register, registered, sniff, unregister
from schemas.plugins import PluginError
from tests.pipeline.readers.files import check, counts, documents, letters, write
from tests.plugins import install, use

PAGE = Path(__file__).resolve().parent.parent / "docs" / "how-to" / "add-a-reader.md"
[CODE] = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)

REFERENCES = (
    "TY  - JOUR\nTI  - Salt and sleep\nAB  - Salt keeps people awake.\nAB  - again\nDO  - 10.1/a\nER  - \n\n"
    "TY  - JOUR\nTI  - No number\nER  -\nno tag\n"
    "TY  - JOUR\nTI  - Tea and sleep\nAN  - 7\nER  - \nTY  - JOUR\nTI  - Never ends\n"
)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A distribution of a user that registers the reader of the page."""
    site = tmp_path / "site"
    files = {"my_package/__init__.py": "", "my_package/ris.py": CODE}
    install(site, "my-package", files, {"factmill.readers": {"ris": "my_package.ris:FORMAT"}})
    use(site, monkeypatch)


def test_a_package_adds_a_format(tmp_path, package):
    path = write(tmp_path / "export.gz", gzip.compress(REFERENCES.encode()))
    assert sniff(path) == "ris"
    items = list(read_path(path))
    check(items)
    assert counts(items) == {"Document": 2, "no AN or DO": 1, "line without a tag": 1, "record without end": 1}
    first, second = documents(items)
    assert (first.id, first.text) == ("ris:10.1/a", "Salt and sleep\n\nSalt keeps people awake.")
    assert second.id == "ris:7"
    assert "before line 10" in letters(items)[0].detail


def test_damage_costs_what_is_damaged(tmp_path, package):
    packed = gzip.compress(REFERENCES.encode())
    items = list(read_path(write(tmp_path / "a", packed[: len(packed) // 2]), "ris"))
    check(items)
    assert len(letters(items)) == 1


def test_the_page_shows_a_whole_reader_of_few_lines():
    assert len([line for line in CODE.splitlines() if line.strip()]) <= 55


def test_a_format_can_be_registered_for_one_process(tmp_path):
    names = {"__name__": "ris"}
    exec(CODE, names)
    register(names["FORMAT"])
    try:
        assert sniff(write(tmp_path / "a", REFERENCES)) == "ris"
        assert register(names["FORMAT"]) is names["FORMAT"]
        with pytest.raises(ValueError, match="'ris' already"):
            register(Format("ris", names["read_ris"], bool))
    finally:
        unregister("ris")
    assert list(registered()) == [*FORMATS, "documents"]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ris", "other:FORMAT", "cannot be imported"),
        ("ris", "my_package.ris:read_ris", "must be a Format"),
        ("pubmed", "my_package.ris:FORMAT", "factmill has one"),
    ],
)
def test_a_reader_that_cannot_be_used_names_its_distribution(tmp_path, monkeypatch, name, value, message):
    site = tmp_path / "site"
    files = {"my_package/__init__.py": "", "my_package/ris.py": CODE}
    install(site, "my-package", files, {"factmill.readers": {name: value}})
    use(site, monkeypatch)
    with pytest.raises(PluginError, match=rf"'my-package 1\.0'.*{message}"):
        registered()
