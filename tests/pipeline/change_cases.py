"""Random histories of graphs, and what they must come to: the graph of a build of the final set of documents."""

from __future__ import annotations

import pickle
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pipeline.build_run
import pipeline.store.store
from pipeline.build import BuildOptions, build
from pipeline.change import ExecutionOptions, merge, remove, update
from pipeline.output_folder import STAGING, locked
from pipeline.store.store import FOLDER, Store, read_shard
from schemas import DeadLetter, Document, Redirect, Removal, Skipped, encode
from tests.pipeline import plain
from tests.pipeline.killing import killed_at
from tests.pipeline.made import document
from tests.rule_extractor import RuleSource

IDS = [f"d{number}" for number in range(9)]
TEXTS = [
    "Ann is in Luton.",
    "The UK met Bob. Bob is in Boston.",
    "Poison is here.",
    "Nan is in Luton.",
    "Unpreparable.",
]
OPTIONS = BuildOptions(runner="memory", workers=1, batch_cost=20)
MACHINE = ExecutionOptions(runner="memory", workers=1)
RULES = {"source": RuleSource(), "writers": []}
# File operations of a build of such a corpus, at least; a child is killed before one of the first so many.
MOMENTS = 160


@dataclass
class Final:
    """A final set of documents, kept in the simplest way."""

    documents: dict[str, Document] = field(default_factory=dict)
    removals: set[str] = field(default_factory=set)
    redirects: dict[str, Redirect] = field(default_factory=dict)
    letters: set[DeadLetter] = field(default_factory=set)

    def give(self, items: Iterable[object]) -> None:
        """What an update does: the given items win, except over a higher version or a withdrawal."""
        given = Final()
        given.join_items(items)
        self.removals |= given.removals
        self.letters |= given.letters
        self.redirects |= given.redirects
        for id, item in given.documents.items():
            if id not in self.documents or item.version >= self.documents[id].version:
                self.documents[id] = item
        self.withdraw()

    def join_items(self, items: Iterable[object]) -> None:
        """What a build does with a set: the highest version wins, then the last bytes."""
        for item in items:
            if isinstance(item, Document):
                self.documents[item.id] = max(
                    item, self.documents.get(item.id, item), key=lambda one: (one.version, encode(one))
                )
            elif isinstance(item, Removal):
                self.removals.add(item.document_id)
            elif isinstance(item, Redirect):
                held = self.redirects.get(item.alias, item)
                self.redirects[item.alias] = min(item, held, key=lambda one: (one.target, one.source))
            elif isinstance(item, DeadLetter):
                self.letters.add(item)

    def withdraw(self) -> None:
        for id in self.removals:
            self.documents.pop(id, None)

    def forget(self, ids: Iterable[str]) -> None:
        self.documents = {id: item for id, item in self.documents.items() if id not in ids}
        self.letters = {letter for letter in self.letters if letter.document_id not in ids}

    def items(self) -> list[object]:
        """Everything that a build from scratch is given."""
        removals = [Removal(id, "anywhere") for id in self.removals]
        return [*self.documents.values(), *removals, *self.redirects.values(), *self.letters]


def random_items(chance: random.Random, count: int) -> list[object]:
    """Documents in several versions, failing ones among them, and everything else that readers give."""
    items: list[object] = []
    for _ in range(count):
        kind = chance.random()
        id, source = chance.choice(IDS), chance.choice(["f", "g"])
        if kind < 0.7:
            text = " ".join(chance.choices(TEXTS, [8, 8, 1, 1, 1], k=chance.randint(1, 3)))
            links = {"UK": chance.choice(["wiki:UK", "wiki:GB"])} if "UK" in text else {}
            items.append(document(id, text, links, version=chance.randint(1, 3), source=source))
        elif kind < 0.78:
            items.append(Removal(id, source))
        elif kind < 0.86:
            items.append(Redirect(chance.choice(["wiki:UK", "wiki:GB"]), chance.choice(["wiki:A", "wiki:B"]), source))
        elif kind < 0.94:
            items.append(DeadLetter(chance.choice([id, "f: line 7"]), source, "read", chance.choice(["cut", "torn"])))
        else:
            items.append(Skipped(source, "talk page"))
    return items


def contents(graph: Path) -> tuple[list[object], dict[str, bytes]]:
    """All rows of the store, and the bytes of the tables."""
    store = Store.open(graph)
    rows = [row for number in range(store.info.shards) for row in read_shard(store.path(number))]
    return sorted(rows), {path.name: path.read_bytes() for path in (graph / "tables").iterdir()}


class History:
    """One random history in a folder of its own; every step may be killed and is then continued or begun anew."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance = random.Random(seed)
        self.folder = folder
        self.kills = 0
        self._files = 0

    def check(self) -> None:
        """Live through the history and compare the result with a build from scratch."""
        graph, final = self.built("graph")
        for _ in range(self.chance.randint(1, 3)):
            step = self.chance.choice(["update", "update", "remove", "merge"])
            graph, final = getattr(self, step)(graph, final)
        scratch = self.folder / "scratch"
        if not final.documents and not final.removals and not final.redirects:
            return  # everything was forgotten, and nothing is what no build makes
        build(self.files(final.items()), scratch, OPTIONS, **RULES)
        assert contents(graph) == contents(scratch)

    def built(self, name: str) -> tuple[Path, Final]:
        items = random_items(self.chance, self.chance.randint(0, 14))
        if not any(isinstance(item, Document | Removal | Redirect) for item in items):
            items.append(Removal("unheard", "f"))  # a build that reads nothing fails
        graph, final, files = self.folder / name, Final(), self.files(items)
        self.run(graph, lambda resume: build(files, graph, OPTIONS, **RULES, resume=resume), resumable=True)
        final.join_items(items)
        final.withdraw()
        return graph, final

    def update(self, graph: Path, final: Final) -> tuple[Path, Final]:
        items = random_items(self.chance, self.chance.randint(0, 10))
        if self.chance.random() < 0.3:
            items += self.chance.sample(final.items(), min(2, len(final.items())))
        files = self.files(items)
        self.run(graph, lambda resume: update(graph, files, MACHINE, **RULES, resume=resume), resumable=True)
        final.give(items)
        return graph, final

    def remove(self, graph: Path, final: Final) -> tuple[Path, Final]:
        ids = self.chance.sample([*IDS, "f: line 7", "unheard"], 3)
        self.run(graph, lambda resume: remove(graph, ids, MACHINE, writers=[]))
        final.forget(ids)
        return graph, final

    def merge(self, graph: Path, final: Final) -> tuple[Path, Final]:
        other, more = self.built(f"other{self._files}")
        out = self.folder / f"merged{self._files}"
        pair = [graph, other] if self.chance.random() < 0.5 else [other, graph]
        self.run(out, lambda resume: merge(*pair, out, MACHINE, writers=[]))
        final.join_items(more.items())
        final.withdraw()
        return out, final

    def files(self, items: Iterable[object]) -> list[Path]:
        """Split items over files in any order."""
        items = list(items)
        self.chance.shuffle(items)
        cut = self.chance.randint(0, len(items))
        paths = []
        for part in (items[:cut], items[cut:]):
            self._files += 1
            paths.append(self.folder / f"{self.chance.random()}-{self._files}.records")
            paths[-1].write_bytes(pickle.dumps(part))
        return paths

    def run(self, graph: Path, action, resumable: bool = False) -> None:
        """Run an action, sometimes after it was killed at a random moment."""
        if self.chance.random() < 0.5:
            action(False)
            return
        before = contents(graph) if graph.exists() else None
        killed = killed_at(self.chance.randrange(MOMENTS), lambda: action(False))
        self.kills += killed
        resume = resumable and self.chance.random() < 0.7
        if killed and graph.exists():
            with locked(graph):  # as the next command does: it puts a result into place that was complete
                pass
        left = contents(graph) if (graph / "run.json").exists() else None
        done = shards(graph / (FOLDER if left != before else f"{STAGING}/{FOLDER}"))
        action(resume)
        assert left in (before, contents(graph)), "an interrupted command changed the graph"
        if resume:
            assert done.items() <= shards(graph / FOLDER).items(), "a complete shard was written again"


def shards(folder: Path) -> dict[str, int]:
    """The shards in a folder, and what tells one file from another."""
    return {path.name: path.stat().st_ino for path in folder.glob("shard-*")}


def check_history(seed: int, folder: Path, monkeypatch) -> int:
    """Check one history, without Beam, with shards of a document or two; return how often it was killed."""
    monkeypatch.setattr(pipeline.build_run, "run", plain.run)
    monkeypatch.setattr(pipeline.store.store, "_BYTES", 400)
    history = History(seed, folder)
    history.check()
    return history.kills
