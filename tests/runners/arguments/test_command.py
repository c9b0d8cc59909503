import errno

import click
import pytest
from click.testing import CliRunner

from pipeline.dead_letters import BuildError, BuildFailed
from runners.arguments.command import Command, CommandWithBeamOptions, beam_options
from runners.errors import Failure, UserError, explain
from schemas import load_relation_schema


def failing_with(error):
    @click.command(cls=Command)
    def command():
        raise error

    return command


def invoke(command, *args):
    return CliRunner().invoke(command, args)


def test_an_unexpected_error_is_one_message_and_exit_code_1():
    result = invoke(failing_with(RuntimeError("the disk sank")))
    assert result.exit_code == 1
    assert (
        result.stderr == "Error: factmill failed unexpectedly: the disk sank. "
        "Run the same command with --debug for the stack trace, and report it.\n"
    )


def test_debug_lets_the_exception_through():
    result = invoke(failing_with(RuntimeError("the disk sank")), "--debug")
    assert isinstance(result.exception, RuntimeError)


def test_a_mistake_of_the_user_is_exit_code_2():
    result = invoke(failing_with(UserError("no such thing")))
    assert (result.exit_code, result.stderr) == (2, "Error: no such thing\n")


def test_a_missing_file_names_the_file(tmp_path):
    @click.command(cls=Command)
    def command():
        (tmp_path / "absent").read_text()

    result = invoke(command)
    assert result.exit_code == 2
    assert result.stderr == f"Error: No such file or directory: '{tmp_path / 'absent'}'\n"


def test_errors_of_our_own_packages_are_told_as_they_are():
    @click.command(cls=Command)
    def command():
        load_relation_schema("nonsense")

    result = invoke(command)
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: no relation schema named 'nonsense': use one of ")


def test_a_build_that_broke_is_a_failure_and_one_that_cannot_start_a_mistake():
    for kind, code in ((BuildFailed, 1), (BuildError, 2)):
        told = explain(kind("the pipeline stood still"))
        assert (told.exit_code, told.message) == (code, "the pipeline stood still")


def test_a_value_error_from_elsewhere_is_a_failure():
    assert isinstance(explain(ValueError("strange")), Failure)


def test_a_full_disk_is_a_failure_with_a_remedy():
    told = explain(OSError(errno.ENOSPC, "No space left on device", "graph/tables"))
    assert told.exit_code == 1
    assert told.message.startswith("No space left on device: 'graph/tables'. To continue, free some space")


def test_input_that_is_nested_too_deeply_is_a_mistake_of_the_user():
    assert explain(RecursionError("maximum recursion depth exceeded")).exit_code == 2


@click.command(cls=CommandWithBeamOptions)
@click.argument("inputs", nargs=-1)
@click.option("--workers", type=int)
@click.option("--min-confidence", type=float)
@click.pass_context
def echo(ctx, inputs, workers, min_confidence):
    click.echo(repr((inputs, workers, min_confidence, beam_options(ctx))))


@pytest.mark.parametrize(
    ("args", "seen"),
    [
        (["a", "b"], (("a", "b"), None, None, ())),
        (["a", "--workers", "2"], (("a",), 2, None, ())),
        (["a", "--workers=2", "--", "--streaming", "--x", "1"], (("a",), 2, None, ("--streaming", "--x", "1"))),
        (["--flink_master=h:1", "a"], (("a",), None, None, ("--flink_master=h:1",))),
        (["--p=1", "a", "--", "--q"], (("a",), None, None, ("--p=1", "--q"))),
        (["a", "--", "--workers=9"], (("a",), None, None, ("--workers=9",))),
    ],
)
def test_what_is_not_ours_goes_to_beam(args, seen):
    result = invoke(echo, *args)
    assert result.output.strip() == repr(seen)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["a", "--worker=2"], "no option '--worker'; did you mean '--workers'?"),
        (["a", "--min_confidence", "0.5"], "no option '--min_confidence'; did you mean '--min-confidence'?"),
        (["a", "--parallelism", "4"], "no option '--parallelism'. Options of Beam go after '--', or as --parallelism="),
    ],
)
def test_a_slip_does_not_reach_beam(args, message):
    result = invoke(echo, *args)
    assert result.exit_code == 2
    assert message in result.stderr
