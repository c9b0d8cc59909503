"""Commands that a signal stops: one line that says what is kept, the status of the signal, no process left behind."""

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipeline.output_folder import STAGING
from pipeline.store.store import FOLDER
from runners.arguments.kept_extractions import SHARDS, kept_message
from runners.cli.main import main


def test_the_folder_of_shards_is_that_of_the_pipeline():
    assert Path(STAGING, FOLDER) == SHARDS


def test_what_is_kept_is_counted(tmp_path):
    command = ["factmill", "build", "--out", "my graph", "--resume"]
    assert kept_message(tmp_path, command).startswith("Stopped before any document was extracted.")
    (tmp_path / SHARDS).mkdir(parents=True)
    for number in range(3):
        (tmp_path / SHARDS / f"shard-{number:05}-of-00008.parquet").touch()
    assert kept_message(tmp_path, command) == (
        "Stopped. The extractions of 3 of 8 shards are kept. To continue: factmill build --out 'my graph' --resume"
    )


def test_an_interruption_inside_a_command_has_its_status(monkeypatch, tmp_path):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("runners.arguments.run_report.read_report", interrupted)
    (tmp_path / "run.json").write_text("{}")
    result = CliRunner().invoke(main, ["info", str(tmp_path)])
    assert (result.exit_code, result.stderr) == (130, "Stopped.\n")


def processes_of(out):
    """The processes, other than this one, whose command line or environment names the folder."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(out) in (entry / "cmdline").read_text() + (entry / "environ").read_text():
                found.add(int(entry.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("runner", ["local", "processes"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_build_stops_at_any_moment(end, runner, checkpoint, tmp_path):
    texts = tmp_path / "texts"
    texts.mkdir()
    for number in range(600):
        (texts / f"{number}.txt").write_text(f"Aspirin number {number} causes nausea in Leeds.\n" * 3)
    out = tmp_path / "graph"
    arguments = ["build", str(texts), "--out", str(out), "--model", str(checkpoint), "--workers", "2"]
    command = [sys.executable, "-m", "runners.cli.main", *arguments, "--runner", runner]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        time.sleep(random.uniform(1, 8))
        process.send_signal(end)
        started = time.monotonic()
        _, told = process.communicate(timeout=20)
    assert time.monotonic() - started < 6
    assert process.returncode == 128 + end, told
    assert re.search(r"^Stopped.*(--resume|as it was before\.)", told, re.MULTILINE), told
    assert "Traceback" not in told
    assert "terminate called" not in told
    time.sleep(0.2)
    assert processes_of(out) == set()
