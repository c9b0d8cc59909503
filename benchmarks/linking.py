"""How well entities are linked: links are hidden and must be found again; and MeSH ids of annotated mentions.

    python -m benchmarks.linking [--fit] links enwiki-pages-articles-206.xml.bz2 --work DIR
    python -m benchmarks.linking [--fit] mesh CDR_TrainingSet.PubTator.txt CDR_DevelopmentSet.PubTator.txt

A tenth of a dump's links lose their targets before anything is extracted; the rest of the corpus says what it says. The
figures are about those on one half of the pages. The weights are fitted on the other half, where one more tenth is
hidden too. For MeSH the dictionary is the training file; weights are fitted inside it, each half with the
dictionary of the other, and the figures are about the development file. `--fit` writes the weights that come with
factmill.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
import torch

from pipeline.extraction.extractor_source import Checkpoint
from pipeline.extraction.inference import extract_safely
from pipeline.linking.aliases import AliasCandidates, AliasCounts, Candidate, alias_counts, alias_key, redirect_alias
from pipeline.linking.disambiguation import (
    FEATURES,
    CorpusStatistics,
    LinkingModel,
    ScoredCandidate,
    linking_model,
    probabilities,
    scored_candidates,
)
from pipeline.linking.target_profiles import TargetProfile, profile_counts
from pipeline.merging.naming import knowledge_base_ids
from pipeline.readers import read_path
from pipeline.store.redirects import apply_redirects
from pipeline.store.store import extracted_row, read_shard, write_shard
from schemas import Document, Entity, Extraction, Mention, Redirect, content_hash, decode, normalise_name

RESULTS = Path(__file__).parent / "results" / "linking.json"
WEIGHTS = Path(__file__).parents[1] / "pipeline" / "linking" / "weights.json"
_PENALTY = 0.5  # of squared weights
# Weights of what no question has: nothing is annotated under headings, and dictionaries are the user's word.
_GIVEN = {"prior": 6.0, "heading": 1.0}
_TENTHS = 2  # of the links that are hidden to fit weights
_Item = tuple[Document, Extraction]


@dataclass(frozen=True)
class Question:
    """An entity whose target is hidden: its candidates, and the target."""

    document: str
    options: list[ScoredCandidate]
    target: str

    @property
    def answer(self) -> int | None:
        """Which candidate is right, or None.

        Titles that differ in case or plural are one page: a shortened dump lacks the redirects that say so.
        """
        exact = [at for at, option in enumerate(self.options) if option.target == self.target]
        alike = [at for at, option in enumerate(self.options) if alias_key(option.target) == alias_key(self.target)]
        return next(iter(exact + alike), None)

    def is_exact(self, at: int) -> bool:
        """Return whether a candidate is the target to the letter."""
        return self.options[at].target == self.target


def knowledge(items: Iterable[_Item], redirects: Mapping[str, str]) -> CorpusStatistics:
    """Return what a corpus knows, as the pipeline finds it, in memory."""
    aliases: defaultdict[tuple[str, str], AliasCounts] = defaultdict(AliasCounts)
    profiles: defaultdict[str, TargetProfile] = defaultdict(TargetProfile)
    said = [redirect_alias(*redirect) for redirect in redirects.items()]
    for document, extraction in items:
        said += alias_counts(document, extraction)
        for target, profile in profile_counts(document, extraction):
            profiles[target] += profile
    for text, target, alias in said:
        aliases[alias_key(text), target] += alias
    of_key: defaultdict[str, list[Candidate]] = defaultdict(list)
    for (key, target), alias in aliases.items():
        of_key[key].append(Candidate(target, alias))
    return CorpusStatistics({key: AliasCandidates.of(found) for key, found in of_key.items()}, dict(profiles))


# Hidden links of a dump.


def hide(document: Document, tenth: int) -> tuple[Document, dict[tuple[int, int], str]]:
    """Return a page with a tenth of its links without targets, and the targets by tokens."""
    hidden: dict[tuple[int, int], str] = {}
    mentions = []
    for mention in document.mentions:
        chosen = int(content_hash("hide", document.id, str(mention.start))[:8], 16) % 10 == tenth
        if chosen and mention.kb_ids and mention.kb_ids != (document.id,):
            hidden[mention.start, mention.end] = mention.kb_ids[0]
            mention = msgspec.structs.replace(mention, kb_ids=())
        mentions.append(mention)
    return msgspec.structs.replace(document, mentions=tuple(mentions)), hidden


def extracted(pages: Iterable[Document], tenth: int, work: Path, model: str) -> list[_Item]:
    """Return pages with a tenth of their links hidden and what is extracted from them, which is kept in a folder."""
    path = work / f"hidden-{tenth}.parquet"
    if not path.exists():
        extractor = Checkpoint(model, threads=1).extractor()
        rows = []
        for page in pages:
            document, _ = hide(page, tenth)
            [found] = extract_safely(extractor, [extractor.featurize(document)])
            rows.append(extracted_row(document, found))
        write_shard(rows, path)
    return [(decode(row.record, Document), decode(row.found, Extraction)) for row in read_shard(path, ["document"])]


def hidden_links(
    dump: Sequence[Document | Redirect], tenth: int, work: Path, model: str
) -> tuple[list[Question], dict[str, int]]:
    """Return the questions that a tenth of the links of a dump ask when they are hidden, and counts."""
    pages = [page for page in dump if isinstance(page, Document)]
    redirects = {page.alias: page.target for page in dump if isinstance(page, Redirect)}
    redirects = {alias: redirects.get(target, target) for alias, target in redirects.items()}
    items = [apply_redirects(*item, redirects) for item in extracted(pages, tenth, work, model)]
    truth = {page.id: hide(page, tenth)[1] for page in pages}
    known = knowledge(items, redirects)
    questions = []
    counts = dict.fromkeys(("hidden", "in a cluster with a link", "of these to its target"), 0)
    for document, extraction in items:
        options = scored_candidates(document, extraction, known)
        entity_of = {
            (mention.start, mention.end): number
            for number, entity in enumerate(extraction.entities)
            for mention in entity.mentions
        }
        targets: dict[int, str] = {}
        for span, link in truth[document.id].items():
            counts["hidden"] += 1
            number, target = entity_of.get(span), redirects.get(link, link)
            if number in options:
                targets.setdefault(number, target)
            elif number is not None:
                counts["in a cluster with a link"] += 1
                counts["of these to its target"] += target in knowledge_base_ids(document, extraction.entities[number])
        questions += [Question(document.id, options[number], target) for number, target in targets.items()]
    return questions, counts


# MeSH ids of annotated mentions.


def mentions_apart(document: Document) -> tuple[Document, list[str | None]]:
    """Return an annotated document whose mentions of one text and type are one entity without ids, and their ids.

    Mentions with several ids or none have None.
    """
    groups: defaultdict[tuple[str, str], list[Mention]] = defaultdict(list)
    for mention in sorted({m for e in document.entities or () for m in e.mentions}, key=lambda m: (m.start, m.end)):
        text = normalise_name(document.span_text(mention.start, mention.end))
        groups[text, mention.type or ""].append(mention)
    entities, targets = [], []
    for (_, type), mentions in groups.items():
        bare = tuple(msgspec.structs.replace(mention, kb_ids=()) for mention in mentions)
        ids = {mention.kb_ids for mention in mentions}
        entities.append(Entity(bare, type))
        only = next(iter(ids))
        targets.append(only[0] if len(ids) == 1 and len(only) == 1 else None)
    return msgspec.structs.replace(document, entities=tuple(entities)), targets


def mesh_questions(known_from: Sequence[Document], asked: Sequence[Document]) -> list[Question]:
    """Return the questions that the mentions of some documents ask, with a dictionary from others."""
    known = knowledge(((d, Extraction(d.id, d.entities or (), ())) for d in known_from), {})
    questions = []
    for document in asked:
        bare, targets = mentions_apart(document)
        options = scored_candidates(bare, Extraction(bare.id, bare.entities or (), ()), known)
        questions += [Question(document.id, options[number], target) for number, target in enumerate(targets) if target]
    return questions


# Fitting and figures.


def fit(questions: Sequence[Question]) -> dict[str, float]:
    """Return the weights of highest likelihood, with a penalty, and those that are given."""
    most = max(len(question.options) for question in questions)
    features = torch.zeros(len(questions), most, len(FEATURES), dtype=torch.float64)
    absent = torch.ones(len(questions), most + 1, dtype=torch.bool)
    absent[:, most] = False  # none of them
    answers = torch.full((len(questions),), most)
    for row, question in enumerate(questions):
        for column, option in enumerate(question.options):
            features[row, column] = torch.tensor(option.features, dtype=torch.float64)
            absent[row, column] = False
        if question.answer is not None:
            answers[row] = question.answer
    weights = torch.zeros(len(FEATURES), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=500, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        scores = torch.cat([features @ weights, torch.zeros(len(questions), 1, dtype=torch.float64)], 1)
        scores = scores.masked_fill(absent, -torch.inf)
        value = torch.nn.functional.cross_entropy(scores, answers, reduction="sum") + _PENALTY * weights.square().sum()
        value.backward()
        return value

    optimizer.step(loss)
    return {name: round(weight, 3) for name, weight in zip(FEATURES, weights.tolist(), strict=True)} | _GIVEN


def figures(questions: Sequence[Question], decide: Callable[[Question], tuple[int, float] | None]) -> dict[str, float]:
    """Return how a way to decide does: of all questions the share it decides, and the share it decides rightly."""
    decided = [(question, choice) for question in questions if (choice := decide(question))]
    right = sum(choice[0] == question.answer for question, choice in decided)
    exact = sum(question.is_exact(choice[0]) for question, choice in decided)
    return {
        "questions": len(questions),
        "with the target among the candidates": round(np.mean([q.answer is not None for q in questions]).item(), 4),
        "decided": round(len(decided) / len(questions), 4),
        "accuracy of the decided": round(right / max(1, len(decided)), 4),
        "the same to the letter": round(exact / max(1, len(decided)), 4),
        "right of all": round(right / len(questions), 4),
    }


def commonness_only(question: Question) -> tuple[int, float] | None:
    """Decide for the candidate that the texts are used for most often."""
    at = FEATURES.index("commonness")
    best = max(range(len(question.options)), key=lambda n: question.options[n].features[at], default=None)
    return None if best is None or not question.options[best].features[at] else (best, 1.0)


def by_model(weights: LinkingModel) -> Callable[[Question], tuple[int, float] | None]:
    """Return how the model decides."""

    def decide(question: Question) -> tuple[int, float] | None:
        chances = probabilities(question.options, weights) if question.options else []
        best = max(range(len(chances)), key=chances.__getitem__, default=None)
        return (best, chances[best]) if best is not None and chances[best] >= weights.cut else None

    return decide


def calibration_error(questions: Sequence[Question], weights: LinkingModel) -> float:
    """Return the expected calibration error of the best candidates' probabilities, in ten equal bins."""
    chances, right = [], []
    for question in questions:
        if question.options:
            found = probabilities(question.options, weights)
            best = int(np.argmax(found))
            chances.append(found[best])
            right.append(best == question.answer)
    bins = np.minimum((np.array(chances) * 10).astype(int), 9)
    errors = [
        abs(np.mean(np.array(chances)[bins == b]) - np.mean(np.array(right)[bins == b])) * np.sum(bins == b)
        for b in set(bins)
    ]
    return round(float(sum(errors) / len(chances)), 4)


def _halves(questions: Sequence[Question]) -> tuple[list[Question], list[Question]]:
    """Return the questions of the documents to fit on, and of those to report on."""
    parts: tuple[list[Question], list[Question]] = [], []
    for question in questions:
        parts[int(content_hash("half", question.document)[:8], 16) % 2].append(question)
    return parts


def _report(questions: Sequence[Question], weights: LinkingModel) -> dict[str, object]:
    return {
        "model": figures(questions, by_model(weights)),
        "commonness only": figures(questions, commonness_only),
        "calibration error": calibration_error(questions, weights),
    }


def _save(name: str, report: Mapping[str, object], seconds: float) -> None:
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    results[name] = {**report, "seconds": round(seconds, 1)}
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", "utf-8")
    print(json.dumps(results[name], indent=2))


def links(args: argparse.Namespace) -> None:
    """Hide links, fit if asked, report."""
    began = time.monotonic()
    args.work.mkdir(parents=True, exist_ok=True)
    dump = [page for page in read_path(args.dump) if isinstance(page, Document | Redirect)]
    questions, counts = hidden_links(dump, 0, args.work, args.model)
    fitting, asked = _halves(questions)
    weights = linking_model()
    if args.fit:
        for tenth in range(1, _TENTHS):
            fitting += _halves(hidden_links(dump, tenth, args.work, args.model)[0])[0]
        counts["fitted on"] = len(fitting)
        weights = msgspec.structs.replace(weights, pages=fit(fitting))
        WEIGHTS.write_bytes(msgspec.json.format(msgspec.json.encode(weights), indent=2) + b"\n")
    _save("links", {"counts": counts, **_report(asked, weights)}, time.monotonic() - began)


def mesh(args: argparse.Namespace) -> None:
    """Normalise the mentions of the second file with a dictionary from the first, fit if asked, report."""
    began = time.monotonic()
    train, dev = ([page for page in read_path(path) if isinstance(page, Document)] for path in (args.train, args.dev))
    weights = linking_model()
    if args.fit:
        halves = train[::2], train[1::2]
        questions = mesh_questions(halves[0], halves[1]) + mesh_questions(halves[1], halves[0])
        weights = msgspec.structs.replace(weights, terms=fit(questions))
        WEIGHTS.write_bytes(msgspec.json.format(msgspec.json.encode(weights), indent=2) + b"\n")
    asked = mesh_questions(train, dev)
    _save("mesh", {"documents": [len(train), len(dev)], **_report(asked, weights)}, time.monotonic() - began)


def main() -> None:
    """Run one of the measurements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true", help="fit the weights that come with factmill")
    kinds = parser.add_subparsers(required=True)
    hidden = kinds.add_parser("links", help="hidden links of a dump")
    hidden.add_argument("dump", type=Path)
    hidden.add_argument("--work", type=Path, required=True, help="folder for what is extracted")
    hidden.add_argument("--model", default="docred-minilm")
    hidden.set_defaults(run=links)
    terms = kinds.add_parser("mesh", help="MeSH ids of annotated mentions")
    terms.add_argument("train", type=Path)
    terms.add_argument("dev", type=Path)
    terms.set_defaults(run=mesh)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
