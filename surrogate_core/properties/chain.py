"""The chain rule through the networks that a spike function stands in: against closed forms in the spec's own g'.

Weights, inputs and potentials are dyadic numbers of so few bits that the forward pass is exact in every format,
in any order of its sums: what is compared is the backward pass alone. Its error is followed with it. Below, e(a)
is how far the computed a may be off, u the unit roundoff and f the smallest normal number, below which a product
may be flushed:

    e(a + b) = e(a) + e(b) + u*(|a + b| + e(a) + e(b))
    e(a * b) = |a|*e(b) + e(a)*|b| + e(a)*e(b) + u*(|a*b| + the three before) + f

and e(g') is what one answer may be off by. A sum of n terms rounds each of them n - 1 times at the most. The closed
form is evaluated in float64 and rounds alike, by 2^-53 in place of u: so u + 2^-52 is taken for u, in which the
second half covers what multiplying the two errors adds.
"""

from __future__ import annotations

import functools

import numpy as np

from surrogate_core.drivers.base import Request
from surrogate_core.properties.around import off, scale
from surrogate_core.properties.base import Case, Property, Requests, Seen, observed, shown, staged, wide
from surrogate_core.properties.outcome import Failed, Outcome, Passed, Witness
from surrogate_core.spec.digits import in_format, plus_minus
from surrogate_core.spec.oracle import forward

__all__ = ["AFFINE", "RECURRENT"]

COTANGENTS = np.array([1.125, -2.375, 0.625, 3.125, -0.875])
Figure = tuple[np.ndarray, np.ndarray]
"""Values, and how far each may be off."""


def _unit(case: Case) -> float:
    return case.format.unit_roundoff + 2.0**-52


def _added(case: Case, a: Figure, b: Figure) -> Figure:
    total, error = a[0] + b[0], a[1] + b[1]
    return total, error + _unit(case) * (np.abs(total) + error)


def _multiplied(case: Case, a: Figure, b: Figure) -> Figure:
    product, error = a[0] * b[0], np.abs(a[0]) * b[1] + a[1] * np.abs(b[0]) + a[1] * b[1]
    return product, error + _unit(case) * (np.abs(product) + error) + case.format.smallest_normal


def _exact(values: np.ndarray) -> Figure:
    return values, np.zeros(values.shape)


# ---- a layer ------------------------------------------------------------------------------------

WEIGHTS = np.array([[2, 1, -1, 3, 0], [-1, 2, 1, 0, 3], [3, -1, 0, 2, -2], [1, 1, 2, -3, 1], [-2, 3, 1, 1, 2]]) / 2
INPUTS = np.array([1, -2, 3, -1, 2]) / 4
BIASES = np.array([1, -1, 1, 3, -6]) / 8
"""In units of the scale, W in its own: z = W x + b is -5, 3, 0, 13 and -8 eighths of it, no partial sum beyond
28 eighths, so that six significant bits hold them all."""


def _layer(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(W, b, x, cotangents), in float64."""
    return WEIGHTS, BIASES * scale(case), INPUTS * scale(case), COTANGENTS


def _observe_affine(case: Case) -> Requests:
    weights, biases, x, cotangents = (a.astype(case.format.dtype) for a in _layer(case))
    return {"layer": Request("affine", x, direction=cotangents, weights=(weights, biases), outer=staged(case))}


def _judge_affine(case: Case, seen: Seen) -> Outcome:
    weights, biases, x, cotangents = _layer(case)
    z = weights @ x + biases
    slack, gradient = off(case, z)
    arriving = _multiplied(case, _exact(cotangents), (gradient, slack))
    for_weights = _multiplied(case, (arriving[0][:, None], arriving[1][:, None]), _exact(x[None, :]))
    for_x = _summed(case, _multiplied(case, (arriving[0][:, None], arriving[1][:, None]), _exact(weights)))
    expected, allowed = (
        np.concatenate([parts[0].ravel(), parts[1], parts[2]])
        for parts in zip(for_weights, arriving, for_x, strict=True)
    )
    measured = wide(observed(seen["layer"]).gradient)
    error = np.abs(measured - expected)
    wrong = ~(error <= allowed)
    if not wrong.any():
        return Passed({"gradients": int(measured.size), "worst": _share(error, allowed)})
    at = int(np.flatnonzero(wrong)[0])
    name, where = _named(at, z)
    gains = np.abs(cotangents)
    sizes = np.concatenate([np.outer(gains, np.abs(x)).ravel(), gains, np.abs(weights).T @ gains])
    return Failed(
        given=f"the gradient of {name} through spike(W x + b), {where}",
        measured=shown(case, measured[at]),
        allowed=plus_minus(expected[at], allowed[at]),
        severity=_worst(error / sizes) / _peak(case),
        figures={"wrong": int(wrong.sum()), "gradients": int(measured.size)},
        witness=Witness(_observe_affine(case)["layer"]),
    )


def _summed(case: Case, terms: Figure) -> Figure:
    """Sums over the first axis: every term takes part in n - 1 additions at the most."""
    n = (terms[0].shape[0] - 1) * _unit(case)
    rounding = n / (1 - n)
    return terms[0].sum(0), (terms[1] + rounding * (np.abs(terms[0]) + terms[1])).sum(0)


def _named(at: int, z: np.ndarray) -> tuple[str, str]:
    """(variable, at which potential) of one of the gradients, which lie one after the other."""
    potentials = ", ".join(f"{v:g}" for v in z)
    if at < WEIGHTS.size:
        row, column = divmod(at, WEIGHTS.shape[1])
        return f"W[{row}, {column}]", f"where W x + b = {z[row]:g}"
    if at < WEIGHTS.size + z.size:
        return f"b[{at - WEIGHTS.size}]", f"where W x + b = {z[at - WEIGHTS.size]:g}"
    return f"x[{at - WEIGHTS.size - z.size}]", f"where W x + b = ({potentials})"


def _share(error: np.ndarray, allowed: np.ndarray) -> float:
    """The largest error, as a share of what is allowed there."""
    return float(np.max(error / allowed, initial=0.0))


def _worst(error: np.ndarray) -> float:
    return float(np.max(np.where(np.isnan(error), np.inf, error)))


def _peak(case: Case) -> float:
    """The unit of severities."""
    return case.sweep.expected.peak or 1.0


AFFINE = Property(
    id="chain.affine",
    promise="Through a layer W x + b, the gradients of W, b and x are those of the chain rule in the declared "
    "pseudo-derivative.",
    observe=_observe_affine,
    judge=_judge_affine,
    scope="once",
)

# ---- a recurrence -------------------------------------------------------------------------------

DECAY = 0.5
POTENTIALS = np.array([[-3, 4, 1], [5, -6, 9], [-7, 2, -2], [3, -1, 5]])
"""The membrane potential before each step's spike, one row a step, in eighths of the scale; never the threshold."""


@functools.lru_cache(maxsize=64)
def _driven(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """(currents, potentials, spikes), one row a step, all exact in the format; ``None`` where there are none.

    The reset subtracts a spike, which is 1, from a potential of the size of the scale. A format of few bits
    holds the difference only where they are not too far apart: the scale is moved towards 1 until it does.
    """
    size = scale(case)
    while True:
        potentials = POTENTIALS * size / 8
        spikes = forward(case.spec, case.parameters, potentials.reshape(-1)).reshape(potentials.shape)
        decayed = np.vstack([np.zeros(potentials.shape[1]), DECAY * (potentials - spikes)[:-1]])
        used = (potentials, spikes, potentials - spikes, decayed, potentials - decayed)
        if all((wide(a.astype(case.format.dtype)) == a).all() for a in used):
            return potentials - decayed, potentials, spikes
        if size == 1:
            return None
        size = size * 2 if size < 1 else size / 2


def _observe_recurrent(case: Case) -> Requests:
    if (driven := _driven(case)) is None:
        return {}
    dtype = case.format.dtype
    cotangents = np.resize(COTANGENTS, POTENTIALS.shape).astype(dtype)
    currents, decay = driven[0].astype(dtype), np.array(DECAY, dtype)
    return {"scan": Request("recurrent", currents, direction=cotangents, weights=(decay,), outer=staged(case))}


def _through_time(case: Case, potentials: np.ndarray, cotangents: np.ndarray) -> Figure:
    """The gradient of every current, from the last step back.

    u[t] = d*v[t-1] + x[t], s[t] = spike(u[t]), v[t] = u[t] - s[t], and c[t] pulled back from s[t], so that

        dL/du[t] = m[t] + (c[t] - m[t])*g'(u[t])      with m[t] = dL/dv[t] = d * dL/du[t+1], at the end 0,

    and dL/dx[t] is dL/du[t]. Half of a number is exact, or below f.
    """
    slack, gradient = off(case, potentials)
    later = _exact(np.zeros(potentials.shape[1]))
    values, errors = np.zeros(potentials.shape), np.zeros(potentials.shape)
    for t in reversed(range(potentials.shape[0])):
        of_spike = _added(case, _exact(cotangents[t]), (-later[0], later[1]))
        through = _multiplied(case, of_spike, (gradient[t], slack[t]))
        values[t], errors[t] = _added(case, later, through)
        later = DECAY * values[t], DECAY * errors[t] + case.format.smallest_normal
    return values, errors


def _judge_recurrent(case: Case, seen: Seen) -> Outcome:
    driven = _driven(case)
    assert driven is not None  # it would have been skipped
    _, potentials, spikes = driven
    request, answer = _observe_recurrent(case)["scan"], observed(seen["scan"])
    assert request.direction is not None
    beats = wide(answer.value)
    expected, allowed = _through_time(case, potentials, wide(request.direction))
    measured = wide(answer.gradient)
    error = np.abs(measured - expected)
    unit = np.abs(COTANGENTS).max() * _peak(case)
    # The first spike that is wrong, and the first gradient on the way back.
    for what, got, promised, slack, differs, severity, first in (
        ("spike", beats, spikes, np.zeros(spikes.shape), beats != spikes, _worst(np.abs(beats - spikes)), 0),
        ("gradient of the current", measured, expected, allowed, ~(error <= allowed), _worst(error / unit), -1),
    ):
        if differs.any():
            step, neuron = (int(i) for i in np.argwhere(differs)[first])
            return Failed(
                given=f"step {step + 1} of {spikes.shape[0]}, neuron {neuron}, where u = {potentials[step, neuron]:g}; "
                f"u = {DECAY:g} u + x[t], s[t] = spike(u), u = u - s[t]",
                measured=f"{what} {in_format(got[step, neuron], case.format)}",
                allowed=plus_minus(promised[step, neuron], slack[step, neuron]),
                severity=severity,
                figures={"wrong": int(differs.sum()), "steps": int(spikes.shape[0])},
                witness=Witness(request),
            )
    return Passed({"steps": int(spikes.shape[0]), "spikes": float(spikes.sum()), "worst": _share(error, allowed)})


RECURRENT = Property(
    id="chain.recurrent",
    promise="Through time, in a recurrence with soft reset, the gradients of the currents are those of the chain "
    "rule in the declared pseudo-derivative.",
    observe=_observe_recurrent,
    judge=_judge_recurrent,
    scope="once",
    skip=lambda case: None if _driven(case) else f"{case.dtype} holds none of the potentials of its recurrence exactly",
)
