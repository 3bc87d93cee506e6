"""The catalogue of specs: one family a file. A name on the command line is looked up here."""

from __future__ import annotations

import functools
import importlib

from surrogate_core.errors import BadInput, near_misses
from surrogate_core.spec.model import Spec

__all__ = ["get_spec", "spec_names"]

_FAMILIES = {
    "arctan": ("arctan", "ARCTAN"),
    "boxcar": ("boxcar", "BOXCAR"),
    "doubled_piecewise_leaky_relu": ("piecewise_leaky_relu", "DOUBLED_PIECEWISE_LEAKY_RELU"),
    "erf": ("erf", "ERF"),
    "gaussian": ("gaussian", "GAUSSIAN"),
    "leaky_relu": ("leaky_relu", "LEAKY_RELU"),
    "log_tailed_relu": ("log_tailed_relu", "LOG_TAILED_RELU"),
    "multi_gaussian": ("multi_gaussian", "MULTI_GAUSSIAN"),
    "nonzero_sign_log": ("nonzero_sign_log", "NONZERO_SIGN_LOG"),
    "piecewise_exponential": ("piecewise_exponential", "PIECEWISE_EXPONENTIAL"),
    "piecewise_leaky_relu": ("piecewise_leaky_relu", "PIECEWISE_LEAKY_RELU"),
    "piecewise_quadratic": ("piecewise_quadratic", "PIECEWISE_QUADRATIC"),
    "q_pseudo_spike": ("q_pseudo_spike", "Q_PSEUDO_SPIKE"),
    "rectangle": ("rectangle", "RECTANGLE"),
    "s2nn": ("s2nn", "S2NN"),
    "sigmoid": ("sigmoid", "SIGMOID"),
    "slayer": ("slayer", "SLAYER"),
    "soft_sign": ("soft_sign", "SOFT_SIGN"),
    "squarewave_fourier_series": ("squarewave_fourier_series", "SQUAREWAVE_FOURIER_SERIES"),
    "triangle": ("triangle", "TRIANGLE"),
    "unit_triangle": ("unit_triangle", "UNIT_TRIANGLE"),
    "wide_q_pseudo_spike": ("q_pseudo_spike", "WIDE_Q_PSEUDO_SPIKE"),
}
"""Spec name -> (module in this package, attribute): listing the names builds no formula."""


def spec_names() -> tuple[str, ...]:
    """The names of all specs, sorted."""
    return tuple(sorted(_FAMILIES))


@functools.cache
def get_spec(name: str) -> Spec:
    """The spec called ``name``; raises :class:`BadInput` with near misses where there is none."""
    if name not in _FAMILIES:
        raise BadInput(f"spec {name!r}", f"one of {', '.join(spec_names())}", near_misses(name, spec_names()))
    module, attribute = _FAMILIES[name]
    return getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
