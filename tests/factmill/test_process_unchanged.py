"""Using the library changes nothing in the process: compared in a process of its own, before and after each step."""

import json
import os
import subprocess
import sys
from pathlib import Path

import factmill

ROOT = Path(factmill.__file__).resolve().parent.parent
PROGRAM = """
import json, locale, logging, os, signal, sys, threading

steps = {{}}

def state():
    import torch
    root = logging.getLogger()
    return {{
        # Torch names a cache folder when transformers imports its compiler.
        "environment": {{k: v for k, v in os.environ.items() if k != "TORCHINDUCTOR_CACHE_DIR"}},
        "folder": os.getcwd(),
        "root logger": [root.level, list(map(repr, root.handlers)), logging.root.manager.disable],
        # Loggers that are new come from imports of other libraries, as do filters of warnings.
        "loggers": {{n: (l.level, l.disabled, l.propagate, list(map(repr, l.handlers)))
                    for n, l in logging.root.manager.loggerDict.items() if n in loggers}},
        "torch threads": [torch.get_num_threads(), torch.get_num_interop_threads()],
        "torch default": [str(torch.get_default_dtype()), torch.is_grad_enabled(), torch.initial_seed()],
        "signals": [str(signal.getsignal(s)) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)],
        "threads": sorted(t.name for t in threading.enumerate() if not t.daemon),
        "path": sys.path,
        "locale": locale.setlocale(locale.LC_ALL),
    }}

import torch, transformers
loggers = [n for n, l in logging.root.manager.loggerDict.items() if isinstance(l, logging.Logger)]
before = state()
import factmill
steps["import"] = state()
model = factmill.load({model!r})
steps["load"] = state()
model(["Marie Curie was born in Warsaw.", "Ada Lovelace was born in London."])
steps["call"] = state()
for runner in ("memory", "threads", "processes"):
    graph = factmill.build(["Marie Curie was born in Warsaw."], {out!r}, model=model, runner=runner, workers=2)
    steps[runner] = state()
graph.query("MATCH (a) RETURN a.name"), graph.sparql("ASK {{ ?a ?b ?c }}"), graph.to_networkx()
steps["query"] = state()
print(json.dumps({{step: {{k: [before[k], s[k]] for k in before if before[k] != s[k]}} for step, s in steps.items()}}))
"""


def test_nothing_in_the_process_changes_and_nothing_is_printed(tmp_path):
    program = PROGRAM.format(model="docred-minilm", out=str(tmp_path / "graph"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    for name in ("OMP_NUM_THREADS", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):  # set for tests alone
        environment.pop(name, None)
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    changed = {(step, what) for step, changes in json.loads(done.stdout).items() for what in changes}
    assert changed == set()
    assert done.stderr == ""


def test_the_allocator_keeps_its_settings(tmp_path):
    """Loading a model sets nothing with mallopt: in a process of a user, freed memory goes back as before."""
    program = (
        "import ctypes\n"
        "calls = []\n"
        "real = ctypes.CDLL\n"
        "class Watched(real):\n"
        "    def __getattr__(self, name):\n"
        "        calls.append(name)\n"
        "        return super().__getattr__(name)\n"
        "ctypes.CDLL = Watched\n"
        "import factmill\n"
        "model = factmill.load('docred-minilm')\n"
        "model('Marie Curie was born in Warsaw.')\n"
        f"factmill.build(['Marie Curie was born in Warsaw.'], {str(tmp_path / 'graph')!r}, model=model)\n"
        "print([name for name in calls if name == 'mallopt'])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
