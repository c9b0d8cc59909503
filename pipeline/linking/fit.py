"""Fits the model of linking to links that are hidden and to annotated mentions.

Of a Wikipedia dump, a tenth of the links lose their targets before extraction; the rest of the corpus keeps what it
states. Of annotated documents (MeSH ids, for example), each half is linked with a dictionary of the other half. The
weights maximise the likelihood of the hidden targets (docs/explanation/linking.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pipeline.extraction.extractor_source import Checkpoint
from pipeline.linking.aliases import AliasCandidates, AliasCounts, Candidate, alias_counts, alias_key, redirect_alias
from pipeline.linking.disambiguation import FEATURES, CorpusStatistics, LinkingModel, ScoredCandidate, scored_candidates
from pipeline.linking.target_profiles import TargetProfile, profile_counts
from pipeline.merging.naming import knowledge_base_ids
from pipeline.store.redirects import apply_redirects
from pipeline.store.store import extracted_row, read_shard, write_shard
from schemas import Document, Entity, Extraction, Mention, Redirect, content_hash, decode, normalise_name

_PENALTY = 0.5  # of squared weights
# Weights that no question can fit: nothing is annotated under headings, and dictionaries are the user's statement.
_SET_BY_HAND = {"prior": 6.0, "heading": 1.0}
_TENTHS = 2  # of the links that are hidden to fit weights
ExtractedDocument = tuple[Document, Extraction]


@dataclass(frozen=True)
class Question:
    """An entity whose target is hidden, with its candidates."""

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


def corpus_statistics(items: Iterable[ExtractedDocument], redirects: Mapping[str, str]) -> CorpusStatistics:
    """Return the statistics of a corpus in memory, equal to those of the pipeline."""
    aliases: defaultdict[tuple[str, str], AliasCounts] = defaultdict(AliasCounts)
    profiles: defaultdict[str, TargetProfile] = defaultdict(TargetProfile)
    counts = [redirect_alias(*redirect) for redirect in redirects.items()]
    for document, extraction in items:
        counts += alias_counts(document, extraction)
        for target, profile in profile_counts(document, extraction):
            profiles[target] += profile
    for text, target, alias in counts:
        aliases[alias_key(text), target] += alias
    of_key: defaultdict[str, list[Candidate]] = defaultdict(list)
    for (key, target), alias in aliases.items():
        of_key[key].append(Candidate(target, alias))
    return CorpusStatistics({key: AliasCandidates.of(found) for key, found in of_key.items()}, dict(profiles))


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


def extracted(pages: Iterable[Document], tenth: int, work: Path, model: str) -> list[ExtractedDocument]:
    """Return pages with a tenth of their links hidden and their extractions, which are kept in the folder `work`."""
    path = work / f"hidden-{tenth}.parquet"
    if not path.exists():
        from pipeline.extraction.inference import extract_safely

        source = Checkpoint(model, threads=1)
        featurizer, extractor = source.featurizer(), source.extractor()
        rows = []
        for page in pages:
            document, _ = hide(page, tenth)
            [found] = extract_safely(extractor, [featurizer.featurize(document)])
            rows.append(extracted_row(document, found))
        write_shard(rows, path)
    return [(decode(row.record, Document), decode(row.found, Extraction)) for row in read_shard(path, ["document"])]


def hidden_links(
    dump: Sequence[Document | Redirect], tenth: int, work: Path, model: str
) -> tuple[list[Question], dict[str, int]]:
    """Hide a tenth of the links of a dump.

    Returns:
        A question for each hidden link whose entity has no other link, and counts of hidden links.
    """
    pages = [page for page in dump if isinstance(page, Document)]
    redirects = {page.alias: page.target for page in dump if isinstance(page, Redirect)}
    redirects = {alias: redirects.get(target, target) for alias, target in redirects.items()}
    items = [apply_redirects(*item, redirects) for item in extracted(pages, tenth, work, model)]
    truth = {page.id: hide(page, tenth)[1] for page in pages}
    known = corpus_statistics(items, redirects)
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


def term_questions(known_from: Sequence[Document], asked: Sequence[Document]) -> list[Question]:
    """Return a question for each annotated entity of `asked`, with candidates from the annotations of `known_from`."""
    known = corpus_statistics(((d, Extraction(d.id, d.entities or (), ())) for d in known_from), {})
    questions = []
    for document in asked:
        bare, targets = mentions_apart(document)
        options = scored_candidates(bare, Extraction(bare.id, bare.entities or (), ()), known)
        questions += [Question(document.id, options[number], target) for number, target in enumerate(targets) if target]
    return questions


def fitted_weights(questions: Sequence[Question]) -> dict[str, float]:
    """Return the weights of highest penalised likelihood, and those that are set by hand."""
    import torch

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
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return {name: round(weight, 3) for name, weight in zip(FEATURES, weights.tolist(), strict=True)} | _SET_BY_HAND


def in_first_half(question: Question) -> bool:
    """Return whether a question is of the documents that weights are fitted on; figures are of the others."""
    return int(content_hash("half", question.document)[:8], 16) % 2 == 0


def page_questions(
    dump: Sequence[Document | Redirect], work: Path, model: str
) -> tuple[list[Question], list[Question], dict[str, int]]:
    """Return questions to fit on, questions to report on, and counts of hidden links.

    Args:
        dump: pages and redirects.
        work: folder in which extractions are kept, so that a second call is quick.
        model: the extractor.
    """
    work.mkdir(parents=True, exist_ok=True)
    questions, counts = hidden_links(dump, 0, work, model)
    fitting = [question for question in questions if in_first_half(question)]
    for tenth in range(1, _TENTHS):
        fitting += [question for question in hidden_links(dump, tenth, work, model)[0] if in_first_half(question)]
    return fitting, [question for question in questions if not in_first_half(question)], counts


def cross_questions(documents: Sequence[Document]) -> list[Question]:
    """Return the questions of annotated documents, each half with the dictionary of the other."""
    halves = documents[::2], documents[1::2]
    return term_questions(halves[0], halves[1]) + term_questions(halves[1], halves[0])


def fit_pages(model: LinkingModel, questions: Sequence[Question]) -> LinkingModel:
    """Return the model with weights for pages of an encyclopedia fitted to the questions."""
    return msgspec.structs.replace(model, pages=fitted_weights(questions))


def fit_terms(model: LinkingModel, questions: Sequence[Question]) -> LinkingModel:
    """Return the model with weights for entries of vocabularies fitted to the questions."""
    return msgspec.structs.replace(model, terms=fitted_weights(questions))
