"""The files of a graph that have to be the same however it was made."""

from pipeline.build_options import BuildOptions
from pipeline.build_report import BuildReport
from pipeline.record_counts import Counts


def written(folder):
    """The bytes of its tables and of its N-Quads, which have to be there, by the names of the files."""
    return {path.name: path.read_bytes() for path in [*(folder / "tables").iterdir(), folder / "graph.nq"]}


def write_report(folder, schema):
    """Write the report that a build of a small graph leaves."""
    counts = Counts(**{name: {} for name in Counts.__struct_fields__})
    BuildReport("build", BuildOptions(), {}, (), counts, {}, {}, {"factmill": "0"}, schema).write(folder)
