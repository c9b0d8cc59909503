import pytest

from tests.sinks.graphs import small_graph


@pytest.fixture(scope="session")
def small_folder(tmp_path_factory):
    """An output folder with the small graph in all formats."""
    from sinks import WRITERS
    from tests.sinks.graphs import SCHEMA

    folder = tmp_path_factory.mktemp("small")
    tables = small_graph().write(folder)
    for writer in WRITERS.values():
        writer.write(tables, folder / writer.file, SCHEMA)
    return folder
