"""How fast a recipe trains: documents for each second of CPU time, in float32 and in bfloat16.

    python -m benchmarks.training_speed --data train.json
    python -m benchmarks.training_speed --data train.json --recipe docred-minilm --batch 4 8

One thread reads batches of the file as training does (draw, forward, backward, clip, step); two steps warm up. CPU time
hardly depends on what else the machine does. The rows go to `results/training_speed.json`, one list for each processor.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.machine import processor

RESULTS = Path(__file__).parent / "results" / "training_speed.json"
PARTS = ("draw", "forward", "backward", "update")


def measure(path: Path, name: str, documents: int, batch: int, bfloat16: bool) -> dict[str, Any]:
    """Return a row: documents a second, and milliseconds per document of each part of a step."""
    import numpy as np
    import torch

    from extractors.network.examples import make_example
    from extractors.recipes.recipe import load_recipe
    from extractors.training import trainer
    from extractors.training.objective import draw_batch, joint_loss
    from extractors.training.optimizer import make_optimizer
    from runners.arguments.annotated_documents import read_annotated
    from runners.arguments.recipe_overrides import find_recipe

    torch.set_num_threads(1)
    recipe = load_recipe(find_recipe(name))
    model, featurizer = trainer.build_model(recipe)
    examples = [make_example(model, featurizer.featurize(document)) for document in read_annotated([path])[:documents]]
    optimizer = make_optimizer(model, recipe.stages[0])
    lengths = np.array([len(example.passage.pieces) for example in examples])
    generator = np.random.default_rng(1)
    model.train()
    model.encoder.backbone.eval()
    spent, done = dict.fromkeys(PARTS, 0.0), 0
    for step, chosen in enumerate(trainer._batches(lengths, batch, generator)):
        if step == 2:
            spent, done = dict.fromkeys(PARTS, 0.0), 0
        model.zero_grad(set_to_none=True)
        clock = [time.process_time()]
        drawn = draw_batch(model, [examples[at] for at in chosen], recipe.objective, generator)
        clock.append(time.process_time())
        with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
            loss = joint_loss(model, drawn, recipe.objective)["total"]
        clock.append(time.process_time())
        loss.backward()  # type: ignore[no-untyped-call]
        clock.append(time.process_time())
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimizer.step()
        clock.append(time.process_time())
        for part, (first, last) in zip(PARTS, pairwise(clock), strict=True):
            spent[part] += last - first
        done += len(chosen)
    return {
        "recipe": name,
        "precision": "bfloat16" if bfloat16 else "float32",
        "batch": batch,
        "documents": done,
        "documents_per_cpu_second": round(done / sum(spent.values()), 2),
        "milliseconds": {part: round(1000 * seconds / done, 1) for part, seconds in spent.items()},
    }


def main() -> None:
    """Measure and keep the rows."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="annotated documents")
    parser.add_argument("--recipe", default="docred-minilm")
    parser.add_argument("--documents", type=int, default=100)
    parser.add_argument("--batch", type=int, nargs="+", default=[4])
    args = parser.parse_args()
    rows = []
    for batch in args.batch:
        for bfloat16 in (False, True):
            rows.append(measure(args.data, args.recipe, args.documents, batch, bfloat16))
            print(json.dumps(rows[-1]), flush=True)
    kept = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**kept, processor(): rows}, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main()
