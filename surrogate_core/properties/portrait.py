"""The portrait of a surrogate: a few measured figures by which implementations of one name are compared.

They are kept whatever comes of the judgement: a surrogate that breaks its promise is compared like any other.
"""

from __future__ import annotations

import numpy as np

from surrogate_core.drivers.base import Observation
from surrogate_core.properties.base import Case, wide

__all__ = ["WINDOW", "portrait"]

WINDOW = 1024.0
"""The area is taken from -WINDOW to WINDOW: that of a heavy tail has no end."""


def portrait(case: Case, seen: Observation) -> dict[str, float | None]:
    """What a sweep tells of a surrogate, to six digits; ``None`` is NaN.

    Attributes of the answer: ``spike_at_zero``, ``spike_at_nan`` and ``gradient_at_nan``; ``at_zero``, the
    gradient at 0; ``peak``, its largest value, and ``peak_at``, the input nearest to 0 that has it; ``area``
    under it within :data:`WINDOW`, by the trapezoidal rule between the points of the sweep.
    """
    x, spikes, gradient = case.sweep.exact, wide(seen.value), wide(seen.gradient)
    nan = int(np.flatnonzero(np.isnan(x))[0])
    near = np.flatnonzero(np.abs(x) <= WINDOW)
    near = near[np.argsort(x[near], kind="stable")]
    finite = near[np.isfinite(gradient[near])]
    with np.errstate(invalid="ignore"):
        # Infinities of both signs have no area between them.
        area = np.sum(np.diff(x[near]) * (gradient[near][1:] + gradient[near][:-1])) / 2
    figures = {
        "spike_at_zero": spikes[0],
        "spike_at_nan": spikes[nan],
        "gradient_at_nan": gradient[nan],
        "at_zero": gradient[0],
        "area": area,
    }
    if finite.size:
        peak = gradient[finite].max()
        at = finite[gradient[finite] == peak]
        figures |= {"peak": peak, "peak_at": x[at[np.argmin(np.abs(x[at]))]]}
    # Not as NaN, which would make a result differ from itself.
    return {name: None if np.isnan(value) else float(f"{value:.6g}") for name, value in figures.items()}
