import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from runners.cli.main import main

COMMANDS = sorted(main.commands)
HEAVY = ("torch", "transformers", "apache_beam", "pyarrow", "ladybug", "numpy", "lxml", "rich")


def test_every_command_is_there():
    changing = ["build", "merge", "remove", "update"]
    asking = ["check", "export", "info", "query", "serve", "show", "sparql"]
    learning = ["calibrate", "evaluate", "evaluate-graph", "fit", "train"]
    assert sorted([*changing, *asking, *learning]) == COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_help_teaches_by_example(name):
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert "Examples:\n" in result.output
    assert f"  factmill {name} " in result.output or f"  factmill {name}\n" in result.output
    assert "--debug" in result.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_explained(name):
    options = [parameter for parameter in main.commands[name].params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


def test_help_loads_nothing_heavy():
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from runners.cli.main import main\n"
        "assert CliRunner().invoke(main, ['--help']).exit_code == 0\n"
        "assert CliRunner().invoke(main, ['build', '--help']).exit_code == 0\n"
        "print(' '.join(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {module.split(".")[0] for module in run.stdout.split()}
    assert loaded.isdisjoint(HEAVY)


@pytest.mark.parametrize("arguments", [["info"], ["train", "--list"]])
def test_lists_are_printed_without_torch(arguments):
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from runners.cli.main import main\n"
        f"assert CliRunner().invoke(main, {arguments}).exit_code == 0\n"
        "print(' '.join(sys.modules))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {module.split(".")[0] for module in run.stdout.split()}
    assert loaded.isdisjoint({"torch", "transformers", "apache_beam", "ladybug"})


def test_importing_the_runners_changes_no_environment_variable():
    code = "import os; before = dict(os.environ); import runners.cli.main; assert before == dict(os.environ)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_mistyped_command_gets_a_suggestion():
    result = CliRunner().invoke(main, ["biuld"])
    assert result.exit_code == 2
    assert "'build'" in result.stderr


def test_the_version_is_told():
    result = CliRunner().invoke(main, ["--version"])
    assert result.exit_code == 0
    assert result.output.startswith("factmill, version ")
