"""brainpy: its surrogates are braintools' module under another name, so none is judged twice."""

from __future__ import annotations

from collections.abc import Iterable

from surrogate_core.libraries import braintools
from surrogate_core.libraries.base import Excluded, Library

__all__ = ["LIBRARY"]


def _public() -> Iterable[str]:
    from brainpy.math import surrogate

    return [f"brainpy.math:surrogate.{name}" for name in surrogate.__all__]


_SAME = tuple(
    Excluded(
        f"brainpy.math:surrogate.{origin.partition(':')[2]}",
        "the very same object as braintools', where it is judged",
        same_as=origin,
    )
    for origin in (
        *(s.origin for s in braintools.LIBRARY.surrogates),
        *(excluded.origin for excluded in braintools.LIBRARY.excluded),
    )
)

LIBRARY = Library(
    name="brainpy",
    package="brainpy",
    distribution="brainpy",
    extra="brainpy",
    surrogates=(),
    excluded=_SAME,
    accepted=(Excluded("brainpy.math.activations:_relu", "the rectified linear unit, no step"),),
    hazards=(braintools.BRAINSTATE,),
    public=_public,
)
