"""The catalogue of specs: one family a file. A name on the command line is looked up here."""

from __future__ import annotations

import functools
import importlib
import traceback

from surrogate_core.errors import BadInput, near_misses
from surrogate_core.spec.model import PATIENCE, Spec, trusting
from surrogate_core.spec.patience import OutOfPatience, at_most

__all__ = ["get_spec", "spec_names"]

_FAMILIES = {
    "arctan": ("arctan", "ARCTAN"),
    "arctan_over_pi": ("arctan_over_pi", "ARCTAN_OVER_PI"),
    "boxcar": ("boxcar", "BOXCAR"),
    "circle": ("circle", "CIRCLE"),
    "clipped_inverse": ("clipped_inverse", "CLIPPED_INVERSE"),
    "damped_triangle": ("damped_triangle", "DAMPED_TRIANGLE"),
    "doubled_piecewise_leaky_relu": ("piecewise_leaky_relu", "DOUBLED_PIECEWISE_LEAKY_RELU"),
    "erf": ("erf", "ERF"),
    "error_function": ("error_function", "ERROR_FUNCTION"),
    "fast_sigmoid": ("fast_sigmoid", "FAST_SIGMOID"),
    "gaussian": ("gaussian", "GAUSSIAN"),
    "leaky_relu": ("leaky_relu", "LEAKY_RELU"),
    "leaky_step": ("leaky_step", "LEAKY_STEP"),
    "log_tailed_relu": ("log_tailed_relu", "LOG_TAILED_RELU"),
    "max_spike": ("single_exponential", "MAX_SPIKE"),
    "multi_gaussian": ("multi_gaussian", "MULTI_GAUSSIAN"),
    "multi_normal_density": ("normal_density", "MULTI_NORMAL_DENSITY"),
    "multi_spike": ("single_exponential", "MULTI_SPIKE"),
    "nonzero_sign_log": ("nonzero_sign_log", "NONZERO_SIGN_LOG"),
    "normal_density": ("normal_density", "NORMAL_DENSITY"),
    "periodic_exponential": ("periodic_exponential", "PERIODIC_EXPONENTIAL"),
    "piecewise_exponential": ("piecewise_exponential", "PIECEWISE_EXPONENTIAL"),
    "piecewise_leaky_relu": ("piecewise_leaky_relu", "PIECEWISE_LEAKY_RELU"),
    "piecewise_quadratic": ("piecewise_quadratic", "PIECEWISE_QUADRATIC"),
    "q_pseudo_spike": ("q_pseudo_spike", "Q_PSEUDO_SPIKE"),
    "rectangle": ("rectangle", "RECTANGLE"),
    "s2nn": ("s2nn", "S2NN"),
    "scaled_super_spike": ("fast_sigmoid", "SCALED_SUPER_SPIKE"),
    "shifted_step": ("shifted_step", "SHIFTED_STEP"),
    "shifted_step_count": ("shifted_step", "SHIFTED_STEP_COUNT"),
    "sigmoid": ("sigmoid", "SIGMOID"),
    "signed_constant": ("signed_constant", "SIGNED_CONSTANT"),
    "single_exponential": ("single_exponential", "SINGLE_EXPONENTIAL"),
    "sigmoid_by_argument": ("sigmoid", "SIGMOID_BY_ARGUMENT"),
    "slayer": ("slayer", "SLAYER"),
    "soft_sign": ("soft_sign", "SOFT_SIGN"),
    "sparse_fast_sigmoid": ("sparse_fast_sigmoid", "SPARSE_FAST_SIGMOID"),
    "spike_count": ("straight_through", "SPIKE_COUNT"),
    "spike_rate_escape": ("spike_rate_escape", "SPIKE_RATE_ESCAPE"),
    "squarewave_fourier_series": ("squarewave_fourier_series", "SQUAREWAVE_FOURIER_SERIES"),
    "steep_periodic_exponential": ("periodic_exponential", "STEEP_PERIODIC_EXPONENTIAL"),
    "step": ("leaky_step", "STEP"),
    "straight_through": ("straight_through", "STRAIGHT_THROUGH"),
    "straight_through_ceil": ("straight_through", "STRAIGHT_THROUGH_CEIL"),
    "straight_through_floor": ("straight_through", "STRAIGHT_THROUGH_FLOOR"),
    "straight_through_round": ("straight_through", "STRAIGHT_THROUGH_ROUND"),
    "tanh": ("tanh", "TANH"),
    "triangle": ("triangle", "TRIANGLE"),
    "unit_triangle": ("unit_triangle", "UNIT_TRIANGLE"),
    "up_down_step": ("shifted_step", "UP_DOWN_STEP"),
    "unit_window": ("boxcar", "UNIT_WINDOW"),
    "wide_q_pseudo_spike": ("q_pseudo_spike", "WIDE_Q_PSEUDO_SPIKE"),
}
"""Spec name -> (module in this package, attribute): listing the names builds no formula."""


def spec_names() -> tuple[str, ...]:
    """The names of all specs, sorted."""
    return tuple(sorted(_FAMILIES))


@functools.cache
def get_spec(name: str) -> Spec:
    """The spec called ``name``, or the one at ``package.module:ATTRIBUTE``.

    Raises:
        BadInput: there is none; the message has near misses.
    """
    module, colon, attribute = name.partition(":")
    if not colon:
        if name not in _FAMILIES:
            raise BadInput(
                f"spec {name!r}",
                "a name from `surrogate-core list specs`, or package.module:ATTRIBUTE",
                near_misses(name, spec_names()),
            )
        with trusting():
            return getattr(importlib.import_module(f"{__name__}.{_FAMILIES[name][0]}"), _FAMILIES[name][1])
    try:
        found = at_most(2 * PATIENCE, lambda: getattr(importlib.import_module(module), attribute, None))
    except ModuleNotFoundError as error:
        raise BadInput(f"spec {name!r}: {error}", "a module that can be imported", "check its name") from None
    except OutOfPatience:
        raise BadInput(
            f"spec {name!r}, whose module took more than {2 * PATIENCE:g} s of computing",
            "formulas that sympy builds and evaluates in a moment",
            "write them in a simpler form",
        ) from None
    except (BadInput, KeyboardInterrupt):
        raise
    except BaseException:
        # SystemExit too: a script that ends in sys.exit(0) must not end a check as a pass.
        raise BadInput(
            f"spec {name!r} cannot be imported:\n{traceback.format_exc()}",
            "a module that imports without an exception",
            "mend the import error above",
        ) from None
    if not isinstance(found, Spec):
        raise BadInput(f"spec {name!r} is {found!r}", "a Spec in that module", "check the name after the colon")
    return found
