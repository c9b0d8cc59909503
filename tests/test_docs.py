"""The documentation: links lead somewhere, and the commands it shows exist with the options it gives them."""

import re
import shlex
from pathlib import Path

import click
import pytest

from extractors import find_checkpoint, shipped
from extractors.checkpoints.checkpoint import load_calibration
from runners.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "examples/**/*.md", "experiments/*.md") for path in ROOT.glob(pattern)
)


def commands(text: str) -> list[list[str]]:
    """Every `factmill COMMAND ...` line of the code blocks, as words; a line may go on while a quote is open."""
    found = []
    for block in re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S):
        for match in re.finditer(r"^ *factmill [a-z]", block, re.M):
            lines = block[match.start() :].splitlines()
            for end in range(1, len(lines) + 1):
                try:
                    found.append(shlex.split("\n".join(lines[:end]), comments=True))
                    break
                except ValueError:
                    continue
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page):
    targets = re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_exist_with_their_options(page):
    for words in commands(page.read_text("utf-8")):
        command = main.commands.get(words[1])
        assert command is not None, f"no command in {words}"
        known = {option for item in command.params if isinstance(item, click.Option) for option in item.opts}
        own = words[: words.index("--")] if "--" in words else words
        given = {word.split("=")[0] for word in own if word.startswith("--")}
        assert given <= known | {"--help"}, words


def test_the_readme_shows_commands():
    assert len(commands((ROOT / "README.md").read_text("utf-8"))) >= 5


@pytest.mark.parametrize("name", shipped())
def test_the_readme_states_the_figures_of_the_checkpoints(name):
    figures = load_calibration(find_checkpoint(name)).figures
    reported = list(figures.values())[-1]["rel_nec_f1"]  # the documents on which nothing was chosen come last
    stated = re.search(
        rf"`{name}`[^`]* F1 ([\d.]+) %", (ROOT / "README.md").read_text("utf-8").partition("bare text")[2]
    )
    assert stated is not None
    assert stated[1] == f"{100 * reported:.1f}"
