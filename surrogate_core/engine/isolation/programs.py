"""What the workers of a run share of their compiled programs: JAX's own compilation cache, in a folder of the run.

Surrogates of one library are made of the same few programs, and each would be compiled by every worker anew. The folder
is emptied with the run: what is measured never depends on what an earlier run has compiled. A program is told by
all that it is compiled from, and one that cannot be read or written is compiled, as without a cache. It is counted as
compiled either way.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping

__all__ = ["FOLDER", "shared", "unwarned"]

FOLDER = "JAX_COMPILATION_CACHE_DIR"
"""The variable that says where JAX keeps compiled programs. Who has set it has a cache, and keeps it."""

ALL_OF_THEM = {
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    # What a GPU's compiler keeps beside them is its own affair.
    "JAX_PERSISTENT_CACHE_ENABLE_XLA_CACHES": "none",
}
"""By itself JAX keeps what took a second to compile; a surrogate's programs take hundredths of one, by the dozen."""


def shared(folder: str, given: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Variables of the environment by which workers share their programs; none where the user has a cache already."""
    return {} if FOLDER in given else {FOLDER: folder, **ALL_OF_THEM}


def unwarned() -> None:
    """JAX shall not warn in a worker that its cache failed: a full disk is no news of the code under test."""
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
