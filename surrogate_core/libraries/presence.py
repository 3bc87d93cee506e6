"""Whether a package is there: it is looked for, and not imported."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import ModuleSpec

__all__ = ["module_spec"]


def module_spec(package: str) -> ModuleSpec | None:
    """The spec of a package, dots allowed; ``None`` where there is none. Whatever looking for it raises, this does not.

    :func:`importlib.util.find_spec` imports the packages above it, and raises where one of them is missing.
    """
    top, *below = package.split(".")
    try:
        spec, name = importlib.util.find_spec(top), top
        for part in below:
            name = f"{name}.{part}"
            # The rest of a package without a path, which is a module, is nowhere.
            spec = _within(name, spec.submodule_search_locations if spec else None)
        return spec
    except Exception:  # no name of a module, one that was put among the imported without a spec, a finder that stumbles
        return None


def _within(name: str, places: list[str] | None) -> ModuleSpec | None:
    finders = sys.meta_path if places is not None else ()
    return next((spec for finder in finders if (spec := finder.find_spec(name, places))), None)
