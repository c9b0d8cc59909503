"""How long imports and small commands take, and what they load: python benchmarks/imports.py

Each is a process of its own, several times in turn; the median of the wall time is reported, and the least, which other
work on the machine disturbs least.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import processor

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).parent / "results" / "imports.json"
RUNS = 5
HEAVY = ("torch", "transformers", "apache_beam", "pyarrow", "pandas", "numpy")
# Statements that are timed inside Python, without the start of the interpreter.
STATEMENTS = {
    "import factmill": "import factmill",
    "factmill.open": "import factmill; factmill.open",
    "factmill.load": "import factmill; factmill.load",
    "factmill.build": "import factmill; factmill.build",
    "factmill.load('docred-minilm')": "import factmill; factmill.load('docred-minilm')",
}
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "factmill --help": ["--help"],
    "factmill info": ["info"],
    "factmill train --list": ["train", "--list"],
}
PROGRAM = """
import json, resource, sys, time
start = time.perf_counter()
{statement}
seconds = time.perf_counter() - start
loaded = [name for name in {heavy!r} if name in sys.modules]
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, loaded]))
"""


def main() -> None:
    """Measure everything, and write and print the results."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    rows: dict[str, dict[str, object]] = {}
    measured: dict[str, list[float]] = {name: [] for name in (*STATEMENTS, *COMMANDS)}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(RUNS):
            for name, statement in STATEMENTS.items():
                program = PROGRAM.format(statement=statement, heavy=HEAVY)
                output = subprocess.check_output([sys.executable, "-c", program], env=environment, cwd=folder)
                seconds, megabytes, loaded = json.loads(output)
                measured[name].append(seconds)
                rows[name] = {"memory_mb": megabytes, "loads": loaded}
            for name, arguments in COMMANDS.items():
                command = arguments if arguments[0] == sys.executable else [*CLI, *arguments]
                start = time.perf_counter()
                subprocess.run(command, env=environment, cwd=folder, check=True, stdout=subprocess.DEVNULL)
                measured[name].append(time.perf_counter() - start)
                rows.setdefault(name, {})
    for name, times in measured.items():
        rows[name] = {"median_s": round(statistics.median(times), 3), "least_s": round(min(times), 3), **rows[name]}
        print(f"{rows[name]['median_s']:8} s  {rows[name]['least_s']:8} s  {name}")
    about = {"processor": processor(), "cores": len(os.sched_getaffinity(0)), "python": platform.python_version()}
    load = [round(value, 1) for value in os.getloadavg()]
    RESULTS.write_text(json.dumps({**about, "runs": RUNS, "load_average": load, "results": rows}, indent=2) + "\n")


CLI = [sys.executable, "-P", "-m", "runners.cli.main"]

if __name__ == "__main__":
    main()
