import subprocess
import sys

import sinks

LIBRARIES = ("pyarrow", "ladybug", "pyoxigraph", "networkx", "rdflib")


def test_the_package_loads_no_library_before_it_is_used():
    code = f"import sys, sinks; print([name for name in {LIBRARIES} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout == "[]\n", answer.stderr


def test_every_public_name_is_there():
    for name in sinks.__all__:
        assert getattr(sinks, name) is not None
    assert {name for names in sinks._NAMES.values() for name in names} == set(sinks.__all__)
