"""What is not judged is told: the gradient at the very place of a jump, where the value of either side is accepted."""

from __future__ import annotations

import numpy as np
import pytest

from surrogate_core.drivers import Observation, Request, get_driver
from surrogate_core.engine import resolve
from surrogate_core.libraries import OURS, Library, Surrogate, installed
from surrogate_core.spec.breakpoints import declared_at
from surrogate_core.spec.evaluate import exactly

RAISING = ("snnax.piecewise_surrogate", "snntorch.LSO", "snntorch.LeakySpikeOperator")
"""That they cannot be called is a finding of theirs."""

JUMPING = {
    library: [s for s in library.surrogates if s.name not in RAISING and s.declared().breakpoints] for library in OURS
}


def departing(surrogate: Surrogate) -> list[float]:
    """Where its gradient jumps and is that of the other side than is documented, at its defaults, in float32."""
    spec, parameters = surrogate.declared(), tuple((p.name, float(p.default)) for p in surrogate.declared().parameters)
    places = [place.at for place in declared_at(tuple(spec.breakpoints), spec.symbols, parameters)]
    places = [at for at in places if float(np.float32(at)) == at]

    def documented(beside: float) -> np.ndarray:
        at = [exactly((spec.gradient,), spec.symbols, place + beside, parameters)[0] for place in places]
        return np.array([float(value) for value in at])

    driver, spike = get_driver(surrogate.framework), resolve(surrogate.name).build(parameters)
    x = np.array(places, np.float32)
    with driver.scope("float32", "cpu:0"):
        answer = driver.observe(spike, Request("vjp", x), "cpu:0")
    assert isinstance(answer, Observation)
    found = answer.gradient.astype(np.float64)
    there, left, right = (np.isclose(found, documented(beside), rtol=1e-6, atol=0) for beside in (0, -1e-9, 1e-9))
    return x[(left | right) & ~there].tolist()


@pytest.mark.parametrize(
    "library", [library for library, surrogates in JUMPING.items() if surrogates], ids=lambda library: library.name
)
def test_a_gradient_that_is_not_the_documented_one_where_it_jumps_is_told(library: Library) -> None:
    if not installed(library):
        pytest.skip(f"{library.package} is not installed: {library.install}")
    departs = {s.attribute for s in JUMPING[library] if departing(s)}
    told = {what.partition("'s gradient at ")[0] for what in library.uncovered if "'s gradient at " in what}
    assert told == departs
