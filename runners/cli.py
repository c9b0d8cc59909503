"""The `factmill` command: one subcommand per module, nothing heavy imported before it is needed."""

from __future__ import annotations

import click

from runners.build import build
from runners.calibrate import calibrate
from runners.check import check
from runners.evaluate import evaluate
from runners.evaluate_graph import evaluate_graph
from runners.export import export
from runners.info import info
from runners.merge import merge
from runners.query import query
from runners.remove import remove
from runners.serve import serve
from runners.show import show
from runners.sparql import sparql

# show
from runners.train import train
from runners.update import update


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="factmill", prog_name="factmill")
def main() -> None:
    """Turn a corpus into a knowledge graph, and ask it questions.

    \b
    A graph from your own texts, and a question to it:
      factmill build articles/ --out graph
      factmill query graph 'MATCH (a)-[r]->(b) RETURN a.name, label(r), b.name, r.confidence LIMIT 10'
      factmill show graph 'Ada Lovelace'

    Every command explains itself with --help.
    """


_CHANGE = (build, update, remove, merge)
_ASK = (query, sparql, show, info, export, serve, check)
_LEARN = (train, evaluate, evaluate_graph, calibrate)
for _command in (*_CHANGE, *_ASK, *_LEARN):
    main.add_command(_command)


if __name__ == "__main__":
    main()
