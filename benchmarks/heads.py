"""Speed and memory of the relation heads beside the encoder, and beside loop versions of the same equations.

    python -m benchmarks.heads [--models docred-minilm ...] [--entities 10 20 42 100] [--loops 20] [--repeats 10]
    ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 python -m benchmarks.heads --out heads_without_amx.json

One made-up document of 256 word pieces, the encoders of some checkpoints, heads with random weights (none of them zero,
so that each pass of DocRE-II changes predictions and all passes are made), one thread, the precision that extraction
uses. Every head runs in a process of its own for each number of entities, and takes turns with the encoder there, so
that both see the same machine; its peak memory is how far the process rises while it scores. All published heads
together score the pairs of one pass of the encoder: what several of them need of it is made once. Loop versions are the
references of the tests, one pair and one equation at a time, in single precision, only the vector and the attention of
an entity once for all its pairs; they run up to `--loops` entities.
"""

from __future__ import annotations

import argparse
import gc
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.machine import processor

RESULTS = Path(__file__).parent / "results" / "heads.json"
PIECES = 256
MENTIONS = 1.4  # per entity, as in DocRED
PUBLISHED = ("atlop", "docunet", "docre-ii", "hin", "jerex-grc", "jerex-mrc")


def peak_megabytes(work: Callable[[], object]) -> float:
    """Return how far the memory of the process rises during a call (Linux)."""
    from pipeline.beam.memory import release_free_memory

    work()
    gc.collect()
    release_free_memory()  # what loading left free would hide what the call takes
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = memory("VmRSS")
    work()
    return memory("VmHWM") - before


def memory(name: str) -> float:
    """Return a figure of /proc/self/status in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def take_turns(works: Sequence[Callable[[], object]], repeats: int) -> list[float]:
    """Return the median CPU time of each of some calls that take turns, in milliseconds, after two turns to warm up."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats + 2):
        for work, taken in zip(works, times, strict=True):
            begun = time.process_time()
            work()
            taken.append(1000 * (time.process_time() - begun))
    return [statistics.median(taken[2:]) for taken in times]


def measure(model: str, heads: Sequence[str], entities: int, loops: int, repeats: int) -> dict[str, float]:
    """Return the figures of some heads together over one pass of a checkpoint's encoder."""
    import msgspec
    import numpy as np
    import torch

    from extractors.checkpoints.checkpoint import find_checkpoint, load_config
    from extractors.checkpoints.weights import load_model
    from extractors.encoder.device import choose_device
    from extractors.encoder.featurizer import Passage
    from extractors.encoder.layout import lay_out_entities
    from extractors.heads import HEADS, EntityPairs
    from extractors.network.network import Network
    from pipeline.beam.memory import set_memory_policy

    set_memory_policy()  # as the command line does
    torch.set_num_threads(1)
    torch.manual_seed(0)
    folder = find_checkpoint(model)
    random = np.random.default_rng(0)
    plain = np.zeros(PIECES, np.int32)
    passage = Passage(
        first_word=0,
        pieces=random.integers(1000, 20000, PIECES).astype(np.int32),
        shapes=plain.astype(np.int8),
        word_pieces=np.arange(PIECES + 1, dtype=np.int32),
        sentences=np.repeat(np.arange(8), PIECES // 8).astype(np.int32),
        types=plain,
        orders=plain - 1,
    )
    places = random.permutation(PIECES)[: max(entities, round(MENTIONS * entities))]
    clusters = [[(int(at), int(at) + 1) for at in places[index::entities]] for index in range(entities)]
    precision = choose_device().precision
    config = load_config(folder)
    encoder = load_model(folder).encoder
    networks = []
    for head in heads:
        network = Network(msgspec.structs.replace(config, head=head, head_options={}, loss=HEADS[head].published_loss))
        network.encoder = encoder
        with torch.no_grad():
            for parameter in network.relation_head.parameters():
                parameter.add_(0.05 * torch.randn_like(parameter))
        networks.append(network.to(precision).eval())

    def pairs_of(model: Network) -> EntityPairs:
        encoded = model.encode([passage])
        layout = lay_out_entities([clusters], encoded.words)
        return model(encoded, layout, layout.entity_passage % 2)

    with torch.inference_mode():
        pairs = pairs_of(networks[0])

        def score() -> None:
            # A fresh object: what it has pooled and gathered is part of the heads' work.
            fresh = replace(pairs, pooled={})
            for network in networks:
                network.relation_scores(fresh)

        milliseconds, encoder_milliseconds = take_turns([score, lambda: networks[0].encode([passage])], repeats)
        figures = {
            "ms": milliseconds,
            "encoder_ms": encoder_milliseconds,
            "of_encoder": milliseconds / encoder_milliseconds,
            "peak_mb": peak_megabytes(score),
            "pairs_per_second": round(1000 * entities * (entities - 1) / milliseconds),
        }
        if entities <= loops and len(heads) == 1:
            from tests.extractors.heads.references import REFERENCES

            slow = pairs_of(networks[0].float())
            begun = time.process_time()
            REFERENCES[heads[0]](networks[0].relation_head, slow)
            figures["loop_ms"] = 1000 * (time.process_time() - begun)
    return figures


def main() -> None:
    """Measure every head at every size and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["docred-minilm"], help="checkpoints whose encoders are taken")
    parser.add_argument("--entities", type=int, nargs="+", default=[10, 20, 42, 100])
    parser.add_argument("--loops", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    from extractors.checkpoints.checkpoint import find_checkpoint, load_config
    from extractors.heads import HEADS

    def run(model: str, heads: Sequence[str], entities: int) -> dict[str, float]:
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
            return process.submit(measure, model, heads, entities, options.loops, options.repeats).result()

    machine = {"processor": processor(), "torch": version("torch"), "threads": 1}
    if "ONEDNN_MAX_CPU_ISA" in os.environ:
        machine["instructions of oneDNN up to"] = os.environ["ONEDNN_MAX_CPU_ISA"]
    rows: list[dict[str, Any]] = []

    def add(row: dict[str, Any]) -> None:
        rows.append({key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()})
        sys.stderr.write(f"{json.dumps(rows[-1])}\n")
        options.out.write_text(json.dumps({"machine": machine, "pieces": PIECES, "rows": rows}, indent=2) + "\n")

    for model in options.models:
        backbone = load_config(find_checkpoint(model)).backbone
        width = backbone["hidden_size"]
        for entities in options.entities:
            place = {
                "encoder": f"{backbone['model_type']}, {backbone['num_hidden_layers']} x {width}",
                "entities": entities,
            }
            for head in sorted(HEADS):
                add({**place, "head": head, **run(model, [head], entities)})
            add({**place, "head": "all published", **run(model, PUBLISHED, entities)})


if __name__ == "__main__":
    main()
