"""The catalogue of known surrogates, one library a file. Importing it loads none of them."""

from __future__ import annotations

import importlib.util

from surrogate_core.libraries import braintools, own
from surrogate_core.libraries.base import Surrogate as Surrogate

SURROGATES: dict[str, Surrogate] = {s.name: s for s in (*own.SURROGATES, *braintools.SURROGATES)}


def installed(surrogate: Surrogate) -> bool:
    """Whether the surrogate's package can be found (it is not imported)."""
    return importlib.util.find_spec(surrogate.module.partition(".")[0]) is not None
