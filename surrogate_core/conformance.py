"""``conformance_tests``: a downstream test-suite judges its own surrogate, one pytest item per property."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from surrogate_core import engine
from surrogate_core.engine.deviations import Deviation, Known, read_deviations
from surrogate_core.properties import select
from surrogate_core.report.cells import cells
from surrogate_core.report.failure import explain
from surrogate_core.spec import BadInput, Spec, get_spec

__all__ = ["conformance_tests", "settle"]


def conformance_tests(
    spec: str | Spec,
    factory: str | Callable[..., Any],
    *,
    params: Mapping[str, float | Sequence[float]] | None = None,
    profile: str = "standard",
    properties: Sequence[str] = (),
    dtypes: Sequence[str] = (),
    seed: int = 0,
    framework: str = "auto",
    deviations: str | os.PathLike[str] | None = None,
) -> Callable[[str], None]:
    """A parametrised test function, to be given a name that pytest collects.

        test_my_surrogate = surrogate_core.conformance_tests("slayer", MySurrogate)

    Args:
        spec: what ``factory`` declares: a Spec, or a name from the catalogue.
        factory: called with the spec's parameters by keyword, returns a spike function; or a target.
        params: values to judge at, by parameter.
        profile: ``quick``, ``standard`` or ``thorough``.
        properties: ids or globs; by default all that the spec promises.
        dtypes: by default float16, bfloat16, float32 and float64.
        seed: of the random inputs.
        framework: ``jax``, ``torch``, or ``auto``.
        deviations: a file of known departures; the item of a failure that one of them explains is an xfail.

    Raises:
        BadInput: the spec or a property is not known, or the deviations file is wrong by itself; anything else is
            found out when the test runs.
    """
    import pytest

    declared = get_spec(spec) if isinstance(spec, str) else spec
    entries = read_deviations(deviations) if deviations is not None else ()
    ids = [p.id for p in select(tuple(properties)) if p.applies(declared)]

    @pytest.mark.parametrize("surrogate_property", ids)
    def test_surrogate(surrogate_property: str) -> None:
        settle(
            [factory],
            declared,
            entries,
            params=params,
            profile=profile,
            properties=[surrogate_property],
            dtypes=dtypes,
            seed=seed,
            framework=framework,
        )

    return test_surrogate


def settle(
    targets: Sequence[str | Callable[..., Any]], spec: Spec, deviations: Sequence[Deviation] = (), **options: Any
) -> None:
    """Judge one property, and pass, fail, xfail or skip the pytest item that asks. Options are those of the plan."""
    import pytest

    try:
        planned = engine.plan(targets, spec, **options)
    except BadInput as mistake:
        pytest.fail(str(mistake), pytrace=False)
    if not planned.units:
        pytest.skip(f"not judged in {planned.implementations[0].framework}, profile {planned.profile}")
    head = engine.header(planned)
    known = Known(deviations, head, narrowed=True)
    run = engine.Run(head, tuple(map(known.settle, engine.run(planned.units))), complete=True)
    (cell,) = cells(run)
    if cell.state in ("failed", "errored"):
        pytest.fail(explain(cell), pytrace=False)
    if complaints := known.complaints(run.results):
        pytest.fail("\n".join(map(str, complaints)), pytrace=False)
    if cell.state in ("unsupported", "skipped"):
        pytest.skip(f"{cell.state}: {cell.detail}")
    if cell.state == "expected failure":
        pytest.xfail(cell.detail)
