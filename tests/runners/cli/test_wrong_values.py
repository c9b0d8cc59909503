"""Every option and argument of every command, with wrong values: one sentence with value and remedy, status 2."""

import re

import click
import pytest
from click.testing import CliRunner

from runners.cli.main import main

# Values that no option takes which takes no free text.
NUMBERS = ("many", "-1", "1e999", "")
SHARES = ("much", "-0.5", "1.5", "nan")
# Wrong values by what the help calls the value, and where that says too little by command and name.
WRONG = {
    "P": SHARES,
    "R": SHARES,
    "S": ("long", "-1", "0", "nan", "1e9"),
    "MB": ("much", "-1", "0", ""),
    "N": NUMBERS,
    "FORMAT": ("nonsense",),
    "NAME|FILE": ("nonsense",),
    "NAME|DIR|ID": ("nonsense",),
    "NAME|DIR": ("nonsense",),
    "FILE|DIR": ("nonsense",),
    "CODE,...": ("nonsense", "12"),
    "RULE=LEVEL,...": ("nonsense", "types=nonsense", "nonsense=warn"),
    "ROLE=FIELD,...": ("nonsense", "nonsense=", "id=a,id=b"),
    "START:STOP": ("nonsense", "5:x", "900:901"),
    "NAME[:TYPE]=VALUE": ("nonsense", "=1", "a b=1", "x:nonsense=1"),
    "KEY=VALUE": ("nonsense", "nonsense.more=1", "seed=[", "stages.9.batch=1", "head=nonsense", "loss=nonsense"),
    "[NAME=]FILE": ("nonsense", "train=nonsense", "train="),
    "FORMAT|URI": (
        "nonsense",
        "http://localhost",
        "neo4j://",
        "neo4j://u:secret@localhost",
        "neo4j://[::1",
        "bolt://a:b",
    ),
    "HOST:PORT": ("nonsense", "localhost", "localhost:x", "localhost:1"),
    "ADDRESS": ("no.such.name.invalid", "300.1.1.1", "a..b"),
    "CYPHER": ("", "nonsense", "MATCH (a) RETURN b", "CREATE (a)"),
    "SPARQL": ("", "nonsense", "SELECT * { ?a foo:bar ?b }", "DROP ALL", "SELECT * { SERVICE <http://x/> {} }"),
    "NAME": ("nonsense",),
    "CHECKPOINT": ("nonsense", "tests"),
    "[RECIPE]": ("nonsense", "nonsense.yaml"),
    "[DIR|NAME]": ("nonsense",),
    "DIR1": ("nonsense",),
    "DIR2": ("nonsense",),
    "INPUT...": ("nonsense", "nonsense*"),
    "FILE": ("nonsense",),
    "FILE...": ("nonsense",),
    "FILES": ("nonsense",),
}
# Folders that a command makes: any name will do, and what it must not hold is tested with the command.
MADE = {
    ("build", "out"),
    ("merge", "out"),
    ("calibrate", "out"),
    ("train", "out"),
    ("evaluate", "plots"),
    ("export", "out"),
    ("fit", "out"),
    ("fit", "work"),
}
# Options that say what runs where take any text until a cluster is asked.
FREE = {("build", "gpu"), ("update", "gpu"), ("remove", "gpu"), ("merge", "gpu")}
EXCEPTIONS = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Interrupt|Warning)\b|Traceback|<class|Errno")


def cases():
    """Command, parameter and wrong value, from click's own description of the commands."""
    for command_name, command in sorted(main.commands.items()):
        for parameter in command.params:
            if (command_name, parameter.name) in MADE | FREE or getattr(parameter, "is_flag", False):
                continue
            name = (parameter.metavar or parameter.name).upper()
            kind = parameter.type
            if isinstance(kind, click.types.IntParamType | click.types.FloatParamType):
                values = WRONG.get(name, SHARES if isinstance(kind, click.types.FloatParamType) else NUMBERS)
            elif isinstance(kind, click.Choice):
                values = ("nonsense", "")
            elif name == "DIR" or (isinstance(kind, click.Path) and parameter.metavar is None):
                values = ("nonsense",)
            else:
                values = WRONG[name]
            for value in values:
                yield pytest.param(command_name, parameter, value, id=f"{command_name}-{parameter.name}-{value}")


@pytest.fixture(scope="session")
def arguments(built, asked, checkpoint, texts, tmp_path_factory):
    """A right command line for each command: option or argument name to words."""
    graph = str(built[0])
    folder = tmp_path_factory.mktemp("wrong")
    annotated = "examples/annotated/biomedicine.pubtator"
    ids = folder / "ids.txt"
    ids.write_text("ada.txt\n")
    return {
        "build": {"inputs": [str(texts)], "out": ["--out", str(folder / "out")], "model": ["--model", str(checkpoint)]},
        "update": {"graph": [graph], "inputs": [str(texts)]},
        "remove": {"graph": [graph], "documents": ["--documents", str(ids)]},
        "merge": {"first": [graph], "second": [str(asked[0])], "out": ["--out", str(folder / "merged")]},
        "query": {"folder": [graph], "cypher": ["RETURN 1"]},
        "sparql": {"folder": [graph], "sparql": ["ASK {}"]},
        "show": {"folder": [graph], "name": ["Ada"]},
        "serve": {"folder": [graph], "sparql": ["--sparql"]},
        "export": {"folder": [graph], "target": ["--to", "turtle"], "out": ["--out", str(folder / "graph.ttl")]},
        "check": {"folder": [graph]},
        "info": {"target": [graph]},
        "train": {
            "recipe": ["cdr-minilm"],
            "data": ["--data", f"train={annotated}", "--data", f"dev={annotated}"],
            "out": ["--out", str(folder / "run")],
        },
        "evaluate": {"files": [annotated], "model": ["--model", str(checkpoint)]},
        "evaluate-graph": {"folder": [graph], "files": ["--gold", annotated]},
        "fit": {
            "kind": ["linking"],
            "source": ["examples/encyclopedia.xml"],
            "work": ["--work", str(folder / "links")],
            "out": ["--out", str(folder / "linking.json")],
        },
        "calibrate": {
            "checkpoint": [str(checkpoint)],
            "files": ["--data", annotated],
            "out": ["--out", str(folder / "calibrated")],
        },
    }


@pytest.mark.parametrize(("command", "parameter", "value"), cases())
def test_a_wrong_value_gets_a_sentence_and_status_2(command, parameter, value, arguments, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("NEO4J_PASSWORD", "secret")
    words = dict(arguments[command])
    option = [parameter.opts[-1]] if isinstance(parameter, click.Option) else []
    words[parameter.name] = [*option, value]
    if "://" in value:
        words.pop("out", None)
    if parameter.name == "flink_master":
        words["runner"] = ["--runner", "flink"]
    line = [word for group in words.values() for word in group]
    result = CliRunner().invoke(main, [command, *line])
    told = result.stderr
    assert result.exit_code == 2, f"{line}: {told}{result.output}"
    assert EXCEPTIONS.search(told) is None, told
    message = told.partition("Error: ")[2].strip()
    assert len(message.split()) > 4, told
    assert "secret" not in message
    # Queries are long, so their messages name the place instead.
    if parameter.name not in {"cypher", "sparql"} and "@" not in value:
        words = re.split(r"[=.*:]", value)
        assert not any(words) or any(word and word in message for word in words), told
