"""Every snippet of docs/python.md runs, in order, and prints what the page says; figures may differ."""

import contextlib
import io
import re

from tests.pages import DOCS

ARTICLES = {
    "curie.txt": "Marie Curie was born in Warsaw. She married Pierre Curie. Pierre Curie was born in Paris.",
    "lovelace.txt": "Ada Lovelace was born in London. She was the daughter of Lord Byron.",
    "danube.txt": "The Danube flows through Vienna. Vienna is the capital of Austria.",
}
BLOCK = re.compile(r"^```(python)?\n(.*?)^```\n", re.M | re.S)


def steps() -> list[tuple[str, str | None]]:
    """The snippets in order, each with the output that follows it directly, if any."""
    text = (DOCS / "python.md").read_text("utf-8")
    found: list[tuple[str, str | None]] = []
    end = 0
    for match in BLOCK.finditer(text):
        if match[1]:
            found.append((match[2], None))
        else:
            assert match.start() == end, f"output without a snippet before it: {match[2]!r}"
            found[-1] = (found[-1][0], match[2])
        end = match.end()
    return found


def pattern(output: str) -> str:
    """Match the output: numbers may be others, and a line of three dots stands for any lines."""
    lines = [re.escape(re.sub(r"\d+(\.\d+)?", "#", line)) for line in output.splitlines()]
    return "".join("(.*\n)*" if line == r"\.\.\." else f"{line}\n" for line in lines)


def test_every_snippet_runs_and_prints_what_the_page_says(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "articles").mkdir()
    for name, text in ARTICLES.items():
        (tmp_path / "articles" / name).write_text(text, "utf-8")
    names = {"__name__": "snippets"}
    snippets = steps()
    assert len(snippets) > 12
    for code, output in snippets:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "docs/python.md", "exec"), names)
        if output is not None:
            found = re.sub(r"\d+(\.\d+)?", "#", printed.getvalue())
            assert re.fullmatch(pattern(output), found), f"{code}\nprinted\n{printed.getvalue()}"
    assert (tmp_path / "people.ttl").is_file()
