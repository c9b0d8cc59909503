"""The files of a graph that have to be the same however it was made."""


def written(folder):
    """The bytes of its tables and of its N-Quads, which have to be there, by the names of the files."""
    return {path.name: path.read_bytes() for path in [*(folder / "tables").iterdir(), folder / "graph.nq"]}
