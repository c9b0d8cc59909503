"""Distributions for tests, as an installer leaves them: a module and a `.dist-info` folder with entry points."""

import importlib
import sys
from pathlib import Path


def install(folder: Path, distribution: str, files: dict[str, str], entries: dict[str, dict[str, str]]) -> Path:
    """Lay a distribution out in a folder.

    Args:
        folder: stands for `site-packages`.
        distribution: its name.
        files: text of each of its files, by the path in the folder.
        entries: for each group of entry points, the object of each name.
    """
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    about = folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", "utf-8")
    lines = []
    for group, names in entries.items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in names.items()), ""]
    (about / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    (about / "RECORD").write_text("".join(f"{name},,\n" for name in files), "utf-8")
    return folder


def use(folder: Path, monkeypatch) -> None:
    """Put the folder on Python's path for one test, whose imports see none of its modules as another test left them."""
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    own = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    for name in [name for name in sys.modules if name.partition(".")[0] in own]:
        monkeypatch.delitem(sys.modules, name)
