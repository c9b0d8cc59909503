"""Build the wheel, list it, install it outside the source tree, and use it from there: python -m tools.check_wheel

A new environment gets the wheel without its dependencies, and sees those of the environment that runs this through a
`.pth` file that names its site-packages. An editable factmill there is not visible: `.pth` files of a folder that is
added by a `.pth` file are not read. So nothing is downloaded, and what is tried is the wheel.
"""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("factmill", "schemas", "extractors", "sinks", "pipeline", "runners")
FORBIDDEN = ("tests/", "benchmarks/", "tools/", "experiments/", "examples/", "docs/")
TEXT = "Marie Curie was born in Warsaw."
PYTHON = f"""
from pathlib import Path
import factmill, schemas, extractors, sinks, pipeline, runners
site = Path(factmill.__file__).parent.parent
assert site.name == "site-packages" and "wheel-check" in str(site), site
for package in (schemas, extractors, sinks, pipeline, runners):
    assert Path(package.__file__).parent.parent == site, package
model = factmill.load("docred-minilm")
print([str(fact) for fact in model({TEXT!r}).facts])
graph = factmill.build([{TEXT!r}], "people", workers=2, runner="processes")
print(graph)
print(graph.query("MATCH (a)-[r]->(b) RETURN a.name, type(r), b.name"))
print(graph.sparql("SELECT ?a ?b {{ ?x wdt:P19 ?y . ?x rdfs:label ?a . ?y rdfs:label ?b }}"))
"""


def main() -> None:
    """Do all of it, in a temporary folder; raises where something is missing."""
    with tempfile.TemporaryDirectory(prefix="wheel-check-") as scratch:
        folder = Path(scratch)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
        build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(_sources(folder))]
        subprocess.run([*pip, *build], check=True)
        [wheel] = folder.glob("factmill-*.whl")
        list_contents(wheel)
        python = _environment(folder / "env")
        subprocess.run([*pip, "--python", str(python), "install", "--no-deps", str(wheel)], check=True)
        use(python, folder / "elsewhere")


def _sources(folder: Path) -> Path:
    """Return a copy of the tracked files, so that nothing untracked gets into the wheel and nothing is left behind."""
    copy = folder / "source"
    copy.mkdir()
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True).stdout
    for name in tracked.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes((ROOT / name).read_bytes())
    return copy


def list_contents(wheel: Path) -> None:
    """Print size and contents of a wheel by folder, and check that it holds what it should and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
    names = {info.filename for info in files}
    print(f"{wheel.name}: {wheel.stat().st_size / 1e6:.1f} MB, {len(names)} files")
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for info in files:
        place = "/".join(info.filename.split("/")[:-1][:2])
        sizes[place] += info.file_size
        counts[place] += 1
    for place in sorted(sizes):
        print(f"  {sizes[place] / 1e6:8.2f} MB  {counts[place]:4} files  {place}")
    missing = [name for name in (f"{package}/py.typed" for package in PACKAGES) if name not in names]
    strangers = sorted(name for name in names if name.startswith(FORBIDDEN))
    if missing or strangers:
        raise SystemExit(f"the wheel lacks {missing} and should not hold {strangers[:5]}")


def _environment(folder: Path) -> Path:
    """Make an environment that sees the dependencies of this one, and return its Python."""
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    site = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    (Path(site) / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


def use(python: Path, folder: Path) -> None:
    """Use the installed package from a folder outside the source tree: commands, then Python."""
    folder.mkdir()
    (folder / "note.txt").write_text(TEXT)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    factmill = str(python.parent / "factmill")
    for command in (
        [factmill, "--version"],
        [factmill, "info"],
        [factmill, "build", "note.txt", "--out", "graph"],
        [factmill, "query", "graph", "MATCH (a)-[r]->(b) RETURN a.name, type(r), b.name"],
        [factmill, "export", "graph", "--to", "turtle", "--out", "graph.ttl"],
        [str(python), "-c", PYTHON],
    ):
        shown = " ".join(command[1:]) if command[0] == factmill else "-c (Python)"
        print(f"$ {Path(command[0]).name} {shown}", flush=True)
        subprocess.run(command, cwd=folder, env=environment, check=True)


if __name__ == "__main__":
    main()
