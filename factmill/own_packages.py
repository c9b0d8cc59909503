"""Make sure that `schemas`, `pipeline` and the other packages are factmill's, and not packages of a user.

Python looks for modules in the folder of the script first. A folder `schemas/` there, as many data projects have one,
takes the place of factmill's package. A folder without `__init__.py` yields to it, as it does to an installed package;
for one with `__init__.py` there is no way out but an error that names it.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

PACKAGES = ("schemas", "extractors", "sinks", "pipeline", "runners")
_HOME = Path(__file__).resolve().parent.parent


def claim_own_packages() -> None:
    """Check where each package of factmill is imported from, and import it from here where only a folder is in the way.

    Raises:
        ImportError: another package of one of these names comes first; the message names its folder and the remedy.
    """
    for name in PACKAGES:
        loaded = sys.modules.get(name)
        place = _place(getattr(loaded, "__spec__", None) if loaded else importlib.util.find_spec(name))
        if place == _HOME / name / "__init__.py":
            continue
        if place is not None:
            raise ImportError(
                f"factmill needs its own package '{name}', but Python finds '{place.parent}' first, because that "
                f"folder is next to the script or in the working directory: rename it, or run the script from another "
                f"folder (Python's option -P leaves the folder of the script out of the search)",
                name=name,
                path=str(place),
            )
        _load(name)


def _place(spec: ModuleSpec | None) -> Path | None:
    """Return the file that a module comes from; None for a folder without one, and where there is nothing."""
    return Path(spec.origin).resolve() if spec is not None and spec.has_location and spec.origin else None


def _load(name: str) -> None:
    """Import the package that lies here, whatever folder Python would find first."""
    folder = _HOME / name
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None or not (folder / "__init__.py").is_file():
        raise ImportError(f"'{folder}' is missing: install factmill again", name=name)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
