"""Training of joint extractors from a recipe: staged, resumable to the bit, logged as JSON lines."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from msgspec.structs import replace
from numpy.typing import NDArray
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from transformers import AutoConfig

from extractors.calibration import (
    PlotsNeedMatplotlib,
    calibrate,
    calibrate_relations,
    candidates_given_entities,
    figures_of,
    plot_extractor,
    selection_scores,
)
from extractors.checkpoints.checkpoint import find_checkpoint
from extractors.checkpoints.model_card import model_card
from extractors.checkpoints.quantization import dequantized, quantized
from extractors.checkpoints.weights import load_start, save_checkpoint
from extractors.encoder.backbone import backbone_folder, backbone_tokenizer
from extractors.encoder.device import has_bfloat16
from extractors.encoder.featurizer import Featurizer
from extractors.inference.confidence import Calibration
from extractors.network.config import Architecture, ModelConfig
from extractors.network.examples import Example, make_example
from extractors.network.network import Network
from extractors.recipes.recipe import INITIAL, Corpus, Recipe, Stage
from extractors.training.masking import mask_id, mask_words
from extractors.training.objective import draw_batch, joint_loss
from extractors.training.optimizer import make_optimizer
from extractors.training.pseudo_labels import cached_pseudo_labels, with_hard_labels, without_relations
from extractors.training.soup import greedy_soup
from schemas import Document, load_relation_schema
from schemas.relation_schema import relation_schema_text

STATE = "state.pt"
# Folder of the run with the extractors of its named stages.
STAGES = "stages"
LOG = "log.jsonl"
# Steps between two rows of the log.
LOG_STEPS = 50
# Batches among which documents of similar length are sought.
_POOL = 16


@dataclass(frozen=True)
class Progress:
    """How far training is; passed to the listener after every step, and again when an epoch's score is known.

    Attributes:
        stage, epoch: counted from 0.
        step, steps: in this stage.
        loss: mean total loss since the last report.
        documents_per_second: rate of this run.
        score: F1 on the selection documents, by which epochs are compared; None while it is not known.
    """

    stage: int
    epoch: int
    step: int
    steps: int
    loss: float
    documents_per_second: float
    score: float | None = None


@dataclass(frozen=True)
class PseudoLabelling:
    """Progress of the teachers over a corpus, before a stage.

    Attributes:
        corpus: name and documents of the corpus.
        done, total: documents.
    """

    corpus: str
    done: int
    total: int


def train(
    recipe: Recipe,
    corpora: Mapping[str, Sequence[Document]],
    out: Path,
    listener: Callable[[Progress | PseudoLabelling], None] = lambda progress: None,
) -> Path:
    """Train, choose the best epoch, calibrate, and write the checkpoint to `out/checkpoint`.

    A run that was stopped goes on from its last epoch when called again with the same `out`; every step draws its
    random numbers from its own seed, so the result is the same as without the stop.

    Args:
        recipe: what to do.
        corpora: the documents of every data file that the recipe names, in file order.
        out: folder of the run.
        listener: called after every step, and while teachers add pseudo-labels.

    Raises:
        ValueError: a corpus is missing or its documents do not fit the relation schema.
    """
    return _Run(recipe, corpora, out, listener).run()


def build_model(recipe: Recipe) -> tuple[Network, Featurizer]:
    """Build the untrained network of a recipe over its pretrained backbone."""
    folder = backbone_folder(recipe.backbone)
    tokenizer, special_ids = backbone_tokenizer(folder)
    backbone: dict[str, Any] = AutoConfig.from_pretrained(folder).to_dict()
    # Dropout inside the encoder costs more time on a CPU than the encoder itself; the components have their own.
    backbone.update(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    for key in ("_name_or_path", "transformers_version", "architectures", "torch_dtype", "dtype"):
        backbone.pop(key, None)
    config = ModelConfig(
        **{name: getattr(recipe, name) for name in Architecture.__struct_fields__},
        relations=load_relation_schema_text(recipe.relations),
        backbone=backbone,
        special_ids=special_ids,
        window=min(512, backbone.get("max_position_embeddings", 512)),
        marker_id=tokenizer.token_to_id("*") or 0,
    )
    torch.manual_seed(recipe.seed)
    model = Network(config)
    if recipe.starts:
        load_start(model, [find_checkpoint(name) for name in recipe.starts])
    else:
        model.encoder.load_backbone(str(folder))
    model.encoder.backbone.eval()
    return model, Featurizer(tokenizer, config.whole_pieces, config.passage_pieces)


class _Run:
    def __init__(
        self,
        recipe: Recipe,
        corpora: Mapping[str, Sequence[Document]],
        out: Path,
        listener: Callable[[Progress | PseudoLabelling], None],
    ) -> None:
        self.recipe, self.corpora, self.out, self.listener = recipe, corpora, out, listener
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.bfloat16 = has_bfloat16(self.device)
        model, self.featurizer = build_model(recipe)
        self.model = model.to(self.device)
        self.mask = mask_id(self.featurizer.tokenizer) if any(stage.masking for stage in recipe.stages) else 0
        self.selection = self._documents(recipe.selection)
        self.report = self._documents(recipe.report)
        out.mkdir(parents=True, exist_ok=True)

    def run(self) -> Path:
        state = self._load_state()
        for index, stage in enumerate(self.recipe.stages):
            if index < state["stage"]:
                continue
            if state["model"] is None or not state["epoch"]:
                self._start(stage)
            if stage.epochs:
                self._train_stage(index, stage, state)
            if stage.name:
                self._save_stage(stage)
            state = _untrained(index + 1)
            if index + 1 < len(self.recipe.stages):
                self._save_state({**state, "model": self.model.state_dict()})
        # Checkpoints hold fewer bits: thresholds and figures are to be those of what is saved.
        self.model.load_state_dict(dequantized(quantized(self.model.state_dict())))
        calibration = calibrate(self.model, self.featurizer, self.selection, _name(self.recipe.selection))
        figures = {
            _name(part): figures_of(self.model, self.featurizer, calibration, documents)
            for part, documents in ((self.recipe.selection, self.selection), (self.recipe.report, self.report))
        }
        calibration = replace(calibration, figures=figures)
        self._log({"event": "figures", **figures})
        folder = self.out / "checkpoint"
        card = model_card(self.recipe, self.model.config, calibration)
        save_checkpoint(folder, self.model, self.featurizer.tokenizer, calibration, card)
        with suppress(PlotsNeedMatplotlib):
            plot_extractor(self.model, self.featurizer, calibration, self.report, folder)
        return folder

    def _start(self, stage: Stage) -> None:
        """Take the weights that a stage starts from, where these are not those of the stage before."""
        if stage.start == (INITIAL,):
            self.model.load_state_dict(build_model(self.recipe)[0].state_dict())
        elif stage.start:
            names = stage.start if stage.epochs else self._soup(stage.start)
            load_start(self.model, [self._stage_folder(name) for name in names])

    def _soup(self, names: Sequence[str]) -> Sequence[str]:
        """Return the stages whose mean is best on the selection documents."""

        def score(chosen: Sequence[str]) -> float:
            load_start(self.model, [self._stage_folder(name) for name in chosen])
            return selection_scores(self.model, self.featurizer, self.selection)[1]

        chosen, scores = greedy_soup(names, score)
        self._log({"event": "soup", "mean of": chosen, "scores": scores})
        return chosen

    def _save_stage(self, stage: Stage) -> None:
        """Keep the extractor that a stage made, for the stages that refer to it.

        Only its probabilities between given entities are calibrated: a teacher gives no others.
        """
        given = calibrate_relations(candidates_given_entities(self.model, self.featurizer, self.selection))
        calibration = Calibration(given=given, selected_on=_name(self.recipe.selection))
        card = model_card(self.recipe, self.model.config, calibration)
        save_checkpoint(self._stage_folder(stage.name), self.model, self.featurizer.tokenizer, calibration, card)

    def _stage_folder(self, name: str) -> Path:
        return self.out / STAGES / name

    def _train_stage(self, index: int, stage: Stage, state: dict[str, Any]) -> None:
        recipe, model = self.recipe, self.model
        examples = self._examples(stage)
        lengths = np.array([len(example.passage.pieces) for example in examples])
        per_epoch = -(-len(examples) // stage.batch)
        steps = per_epoch * stage.epochs
        model.relation_head.start_stage(stage.base_only)
        optimizer = make_optimizer(model, stage)
        schedule = LambdaLR(optimizer, _warm_up_then_decay(int(steps * recipe.warmup), steps))
        mean = _running_mean(model, recipe.averaging)
        if state["optimizer"] is not None:
            optimizer.load_state_dict(state["optimizer"])
            schedule.load_state_dict(state["schedule"])
            if mean is not None:
                mean.load_state_dict(state["mean"])
        judged: Network = model if mean is None else mean.module  # type: ignore[assignment]
        best, best_score = state["best"], state["best_score"]
        for epoch in range(state["epoch"], stage.epochs):
            began = time.perf_counter()
            total = 0.0
            logged = (0.0, 0)
            batches = _batches(lengths, stage.batch, np.random.default_rng([recipe.seed, index, epoch]))
            model.train()
            model.encoder.backbone.eval()
            for step, chosen in enumerate(batches):
                seed = [recipe.seed, index, epoch, step]
                torch.manual_seed(int(np.random.default_rng(seed).integers(1 << 62)))
                model.zero_grad(set_to_none=True)  # of frozen parameters too: clipping looks at all
                generator = np.random.default_rng([*seed, 1])
                total += self._add_gradients([examples[i] for i in chosen], stage, generator)
                nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
                optimizer.step()
                schedule.step()
                if mean is not None:
                    mean.update_parameters(model)
                rate = (step + 1) * stage.batch / (time.perf_counter() - began)
                done = epoch * per_epoch + step + 1
                progress = Progress(index, epoch, done, steps, total / (step + 1), rate)
                if done % LOG_STEPS == 0:
                    self._log_step(progress, (total - logged[0]) / (step + 1 - logged[1]))
                    logged = (total, step + 1)
                self.listener(progress)
            scores, score = selection_scores(judged, self.featurizer, self.selection)
            self._log(
                {
                    "event": "epoch",
                    "stage": index,
                    "epoch": epoch,
                    "step": (epoch + 1) * per_epoch,
                    "loss": total / per_epoch,
                    "score": score,
                    "seconds": round(time.perf_counter() - began, 1),
                    "selection": scores,
                }
            )
            if score > best_score:
                best, best_score = copy.deepcopy(judged.state_dict()), score
            self._save_state(
                {
                    "stage": index,
                    "epoch": epoch + 1,
                    "best": best,
                    "best_score": best_score,
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "schedule": schedule.state_dict(),
                    "mean": None if mean is None else mean.state_dict(),
                }
            )
            self.listener(dataclasses.replace(progress, score=score))
        if best is not None:
            model.load_state_dict(best)

    def _add_gradients(self, examples: Sequence[Example], stage: Stage, generator: np.random.Generator) -> float:
        """Compute the gradients of the loss of a batch; return the loss."""
        objective = self.recipe.objective
        if stage.masking:
            examples = [
                dataclasses.replace(one, passage=mask_words(one.passage, stage.masking, self.mask, generator))
                for one in examples
            ]
        batch = draw_batch(self.model, examples, objective, generator)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            total = joint_loss(self.model, batch, objective)["total"]
        total.backward()  # type: ignore[no-untyped-call]
        return float(total.detach())

    def _examples(self, stage: Stage) -> list[Example]:
        """Return the documents of a stage; a text in several corpora is taken from the last of them.

        Texts of the recipe's selection and report are left out, from whatever file they come.
        """
        by_text: dict[tuple[str, ...], Example] = {}
        judged = {document.text for part in (self.selection, self.report) for document in part}
        left_out = 0
        for corpus in stage.corpora:
            for document in self._labelled(corpus):
                if document.text in judged:
                    left_out += 1
                elif document.tokens and document.entities:
                    features = self.featurizer.featurize(document)
                    example = make_example(
                        self.model, features, corpus.facts, corpus.complete, corpus.soft_labels, corpus.entities
                    )
                    by_text[tuple(document.words())] = example
        if left_out:
            self._log({"event": "left out", "documents": left_out})
        if not by_text:
            names = ", ".join(_name(corpus) for corpus in stage.corpora)
            raise ValueError(
                f"nothing is left to train on in {names}: its texts are those of selection and report; give others"
            )
        return list(by_text.values())

    def _labelled(self, corpus: Corpus) -> Sequence[Document]:
        documents = self._documents(corpus)
        if corpus.teachers:
            total = len(documents)

            def report_progress(done: int) -> None:
                self.listener(PseudoLabelling(_name(corpus), done, total))

            stages = {stage.name for stage in self.recipe.stages if stage.name}
            teachers = [str(self._stage_folder(name)) if name in stages else name for name in corpus.teachers]
            documents = cached_pseudo_labels(
                documents, teachers, corpus.pseudo_label_threshold, self.out, report_progress
            )
        if corpus.absent:
            documents = [without_relations(document, corpus.absent) for document in documents]
        if not corpus.soft_labels:
            documents = [with_hard_labels(document) for document in documents]
        return documents

    def _documents(self, corpus: Corpus) -> Sequence[Document]:
        if corpus.data not in self.corpora:
            raise ValueError(f"the recipe reads '{corpus.data}': give its file with --data {corpus.data}=PATH")
        documents = self.corpora[corpus.data][corpus.positions()]
        if not documents:
            raise ValueError(f"'{corpus.data}' has no documents at {corpus.documents or 'all'}: check the recipe")
        return documents

    def _load_state(self) -> dict[str, Any]:
        path = self.out / STATE
        recipe = msgspec.json.encode(self.recipe).decode()
        if not path.exists():
            return _untrained(0)
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location=self.device)
        if state.pop("recipe") != recipe:
            raise ValueError(f"'{self.out}' holds a run of another recipe: choose another --out, or delete it")
        if state["model"] is not None:
            self.model.load_state_dict(state["model"])
        return state

    def _save_state(self, state: dict[str, Any]) -> None:
        path = self.out / STATE
        torch.save({**state, "recipe": msgspec.json.encode(self.recipe).decode()}, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def _log_step(self, progress: Progress, loss: float) -> None:
        self._log(
            {
                "event": "step",
                "stage": progress.stage,
                "epoch": progress.epoch,
                "step": progress.step,
                "loss": loss,
                "documents_per_second": round(progress.documents_per_second, 2),
            }
        )

    def _log(self, row: dict[str, Any]) -> None:
        with (self.out / LOG).open("a") as file:
            file.write(json.dumps({"time": round(time.time()), **row}) + "\n")


def _running_mean(model: Network, kept: float) -> AveragedModel | None:
    """Return a network for the running mean of the weights; None where each step leaves nothing of it."""
    if not kept:
        return None
    return AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(kept))  # type: ignore[no-untyped-call]


def _untrained(stage: int) -> dict[str, Any]:
    """Return the state of a run before a stage."""
    return {"stage": stage, "epoch": 0, "best": None, "best_score": -1.0, "model": None, "optimizer": None}


def load_relation_schema_text(name_or_path: str) -> str:
    """Return the YAML text of a relation schema, after checking it."""
    load_relation_schema(name_or_path)
    return relation_schema_text(name_or_path)


def _warm_up_then_decay(warmup: int, steps: int) -> Callable[[int], float]:
    return lambda step: min((step + 1) / (warmup + 1), max(0.0, (steps - step) / max(1, steps - warmup)))


def _batches(lengths: NDArray[np.int64], size: int, generator: np.random.Generator) -> list[list[int]]:
    """Return the documents of an epoch in random batches of similar length, so that the encoder reads a batch at once.

    Windows of other sizes would be read one after the other, and each of them writes the gradients of all weights.

    Args:
        lengths: pieces of each document.
        size: documents of a batch.
        generator: draws which documents meet: those of similar length among `_POOL` batches that follow each other.
    """
    order = generator.permutation(len(lengths))
    batches: list[list[int]] = []
    for start in range(0, len(order), _POOL * size):
        pool = order[start : start + _POOL * size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches += [pool[first : first + size].tolist() for first in range(0, len(pool), size)]
    return [batches[at] for at in generator.permutation(len(batches))]


def _name(corpus: Corpus) -> str:
    return f"{corpus.data}[{corpus.documents}]" if corpus.documents else corpus.data
