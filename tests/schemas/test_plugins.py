import sys

import pytest

from schemas.plugins import KINDS, PluginError, load_plugin, plugin_names, wrong_plugin
from tests.plugins import install, use

GROUP = "factmill.sinks"


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of distributions on Python's path."""
    install(tmp_path, "good-sinks", {"good_sinks.py": "SINK = 'good'\n"}, {GROUP: {"good": "good_sinks:SINK"}})
    use(tmp_path, monkeypatch)
    return tmp_path


def test_a_registered_object_is_found_by_its_name(site):
    assert "good" in plugin_names(GROUP)
    assert load_plugin(GROUP, "good", builtin=("csv",)) == "good"


def test_a_name_that_nobody_registers(site):
    assert load_plugin(GROUP, "absent") is None
    assert load_plugin("factmill.heads", "good") is None


def test_names_are_listed_without_an_import(site):
    plugin_names(GROUP)
    assert "good_sinks" not in sys.modules


def test_a_name_of_factmill_is_refused(site):
    with pytest.raises(PluginError, match=r"'good-sinks 1\.0' registers the sink 'good', and factmill has one"):
        load_plugin(GROUP, "good", builtin=("good",))


def test_two_distributions_with_one_name(site, monkeypatch):
    install(site, "other-sinks", {"other_sinks.py": "SINK = 1\n"}, {GROUP: {"good": "other_sinks:SINK"}})
    use(site, monkeypatch)
    with pytest.raises(PluginError, match=r"'good-sinks 1\.0' and 'other-sinks 1\.0' register a sink 'good'"):
        load_plugin(GROUP, "good")


@pytest.mark.parametrize(
    ("source", "value", "reason"),
    [
        ("import a_package_that_is_not_there\n", "bad:SINK", "ModuleNotFoundError: No module named 'a_package_that"),
        ("raise RuntimeError('no licence')\n", "bad:SINK", "RuntimeError: no licence"),
        ("OTHER = 1\n", "bad:SINK", "AttributeError: module 'bad' has no attribute 'SINK'"),
    ],
)
def test_a_plugin_that_cannot_be_imported_names_its_distribution(tmp_path, monkeypatch, source, value, reason):
    install(tmp_path, "bad-sinks", {"bad.py": source}, {GROUP: {"bad": value}})
    use(tmp_path, monkeypatch)
    with pytest.raises(PluginError, match=rf"the sink 'bad' of 'bad-sinks 1\.0' \({value}\).*{reason}"):
        load_plugin(GROUP, "bad")


def test_an_object_of_another_kind_names_its_distribution(site):
    error = wrong_plugin(GROUP, "good", "a GraphWriter", load_plugin(GROUP, "good"))
    assert str(error) == "the sink 'good' of 'good-sinks 1.0' is a str: it must be a GraphWriter"


def test_every_group_begins_with_the_name_of_the_project():
    assert all(group.startswith("factmill.") for group in KINDS)
