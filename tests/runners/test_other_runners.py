"""Builds on runners that factmill only hands over to: Prism, and Spark by Beam's job server for it."""

import pytest
from click.testing import CliRunner

from runners.cli.main import main
from tests.runners.graph_files import written
from tests.runners.other_runners import prism, spark


def factmill(*args):
    result = CliRunner().invoke(main, [*map(str, args)])
    assert result.exit_code == 0, f"{result.output}\n{result.exception}"


@pytest.mark.server
@pytest.mark.parametrize("other", [prism, spark])
def test_a_build_leaves_what_this_machine_leaves(other, checkpoint, texts, tmp_path, monkeypatch, request):
    monkeypatch.setenv("PYTHONPATH", str(request.config.rootpath))  # for worker processes
    with other(tmp_path) as there:
        for name, where in (("here", ("--runner", "memory")), ("there", there)):
            factmill("build", texts, "--model", checkpoint, "--out", tmp_path / name, *where)
    assert written(tmp_path / "there") == written(tmp_path / "here")
