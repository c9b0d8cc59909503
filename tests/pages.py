"""The code blocks of documentation pages."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def blocks(page: str, language: str = "python") -> list[str]:
    """Return the code blocks of a page in docs/, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", (DOCS / page).read_text("utf-8"), re.M | re.S)


def entry_points(page: str) -> dict[str, dict[str, str]]:
    """Return the entry points that a page shows: the object of each name, by group."""
    found: dict[str, dict[str, str]] = {}
    for block in blocks(page, "toml"):
        for group, lines in re.findall(r'^\[project\.entry-points\."([\w.]+)"\]\n((?:.+\n)*)', block, re.M):
            for name, value in re.findall(r'^([\w-]+) = "(.+)"$', lines, re.M):
                found.setdefault(group, {})[name] = value
    return found
