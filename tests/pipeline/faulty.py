"""Extractors that are slow or hang, and builds with them in a process of their own that can be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from pipeline.build import BuildOptions, build
from pipeline.output_folder import STAGING
from pipeline.store.store import FOLDER
from tests.pipeline.change_cases import shards
from tests.pipeline.made import pubtator, records
from tests.rule_extractor import RuleExtractor, RuleSource


def long_corpus(path: Path) -> Path:
    """Write 48 documents so long that there are 16 shards of them; workers elsewhere know no other size of shards."""
    made = ((id, title, abstract + " and so it goes on" * 500) for id, title, abstract in records(48))
    path.write_text(pubtator(made))
    return path


# Fewer stages, so that builds of killed processes are over sooner.
OPTIONS = BuildOptions(runner="memory", workers=2, batch_cost=100, link=False, resolve=False)


class Slow(RuleExtractor):
    def extract(self, batch):
        time.sleep(0.1)
        return super().extract(batch)


@dataclass(frozen=True)
class SlowSource(RuleSource):
    """Slow rules; where `holder` is a file, one extractor for the machine: its process writes its id there."""

    holder: Path | None = None

    def one_per_machine(self):
        return self.holder is not None

    def extractor(self):
        if self.holder:
            with self.holder.open("a") as file:
                file.write(f"{os.getpid()}\n")
        return Slow()


class Hanging(RuleExtractor):
    """Does not come back with a document that has the word `Hang`, until it is freed."""

    def __init__(self) -> None:
        self.freed = threading.Event()

    def extract(self, batch):
        if any("Hang" in item.words for item in batch):
            self.freed.wait()
        return super().extract(batch)


@dataclass(frozen=True)
class Given(RuleSource):
    """One extractor for all workers of this process."""

    one: RuleExtractor

    def extractor(self):
        return self.one


@dataclass
class BuildProcess:
    """A build with slow rules, which goes on where one was interrupted."""

    corpus: Path
    out: Path
    runner: str
    beam: tuple[str, ...] = ()
    holder: Path | None = None

    @property
    def done(self) -> dict[str, int]:
        """The shards that are complete, while it is not, and what tells one file from another."""
        return shards(self.out / STAGING / FOLDER)

    def start(self) -> subprocess.Popen:
        command = [sys.executable, "-m", __name__, self.corpus, self.out, self.runner, self.holder or "", *self.beam]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def below(pid: int) -> list[int]:
    """All processes that a process started, and those that they did."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").glob("*/children"))
        children = [int(child) for task in tasks for child in task.read_text().split()]
    except OSError:
        return []  # it has just ended
    return [found for child in children for found in (child, *below(child))]


def runs(pid: int) -> bool:
    """Whether a process has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def end(running: subprocess.Popen) -> None:
    """Leave no process of a build behind."""
    for pid in (*below(running.pid), running.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    running.wait()


def workers_of(pid: int) -> list[int]:
    """The worker processes of a build: forked by what attends to them, which the server forked."""
    found = [child for child in below(pid) if _arguments(child)[1:4] == ["-P", "-m", "pipeline.beam.fork_server"]]
    return [child for child in found if child not in found[:1] and not below(child)]


def _arguments(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def main(corpus: str, out: str, runner: str, holder: str, *beam: str) -> None:
    options = replace(OPTIONS, runner=runner, beam=beam)
    source = SlowSource(Path(holder) if holder else None)
    report = build([corpus], out, options, source=source, writers=[], resume=True)
    print(report.counts.extracted)


if __name__ == "__main__":
    # Under its own name, so that worker processes find the classes.
    from tests.pipeline import faulty

    faulty.main(*sys.argv[1:])
