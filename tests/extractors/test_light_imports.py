"""What a command needs to list recipes or to describe a checkpoint is imported without torch."""

import subprocess
import sys

import pytest

HEAVY = {"torch", "transformers", "safetensors", "matplotlib"}


@pytest.mark.parametrize(
    "code",
    [
        "import extractors",
        "import extractors.evaluation",
        "from extractors.recipes.recipe import RECIPES, load_recipe; load_recipe(RECIPES / 'docred-minilm.yaml')",
        "import extractors as e; [e.fingerprint(e.find_checkpoint(name)) for name in e.shipped()]",
        "from extractors.checkpoints.checkpoint import *; load_config(find_checkpoint('docred-minilm')).schema",
        "from extractors.checkpoints.checkpoint import *; load_calibration(find_checkpoint('docred-minilm'))",
    ],
)
def test_no_torch_is_needed(code):
    program = f"{code}\nimport sys; print(sorted(set({sorted(HEAVY)}) & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert answer.stdout == "[]\n", answer.stderr
