"""Every property, in the order in which a person reads them."""

from __future__ import annotations

import fnmatch

from surrogate_core.errors import BadInput, near_misses
from surrogate_core.properties import (
    antiderivative,
    area,
    arguments,
    chain,
    copies,
    cost,
    cotangent,
    decay,
    forward,
    further,
    gradient,
    independence,
    instances,
    patterns,
    pytorch,
    repeated,
    retracing,
    scaling,
    shape,
    smooth,
    stacks,
    threads,
    transforms,
)
from surrogate_core.properties.base import Case as Case
from surrogate_core.properties.base import Proof as Proof
from surrogate_core.properties.base import Property as Property
from surrogate_core.properties.base import Search as Search
from surrogate_core.properties.base import Statement as Statement

PROPERTIES: tuple[Statement, ...] = (
    forward.STEP,
    forward.DTYPE,
    shape.SHAPE,
    gradient.ORACLE,
    gradient.PEAK,
    gradient.SYMMETRY,
    decay.DECAY,
    gradient.RANGE,
    area.AREA,
    antiderivative.ANTIDERIVATIVE,
    scaling.SCALING,
    gradient.NONFINITE,
    cotangent.COTANGENT,
    independence.INDEPENDENCE,
    arguments.ARGUMENTS,
    repeated.REPEATED,
    threads.THREADS,
    copies.COPIES,
    smooth.SMOOTH,
    further.SECOND,
    further.PARAMETER,
    chain.AFFINE,
    chain.RECURRENT,
    transforms.JIT,
    transforms.VMAP,
    transforms.MODES,
    stacks.STACKS,
    instances.INSTANCES,
    pytorch.LAYOUT,
    pytorch.GRAD_MODES,
    pytorch.AUTOCAST,
    retracing.RETRACING,
    transforms.DEVICES,
    patterns.PATTERNS,
    cost.RESIDUALS,
)

_BY_ID = {p.id: p for p in PROPERTIES}


def get_property(name: str) -> Statement:
    """The property with that id; raises :class:`BadInput` with near misses where there is none."""
    return _BY_ID.get(name) or select((name,))[0]


def select(globs: tuple[str, ...]) -> tuple[Statement, ...]:
    """The properties that match one of the globs (all for none), in their order.

    Raises:
        BadInput: a glob matches nothing.
    """
    ids = [p.id for p in PROPERTIES]
    for glob in globs:
        if not fnmatch.filter(ids, glob):
            raise BadInput(f"property {glob!r}", "an id or a glob such as 'gradient.*'", near_misses(glob, ids))
    return tuple(p for p in PROPERTIES if not globs or any(fnmatch.fnmatch(p.id, glob) for glob in globs))
