"""``pytest --surrogate TARGET``: one item per property, beside the tests that are there.

Thin on purpose: a session that does not ask for it imports nothing but this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from surrogate_core.engine import Plan
    from surrogate_core.engine.deviations import Deviation
    from surrogate_core.spec import Spec

__all__: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, under a heading of their own."""
    group = parser.getgroup("surrogate_core", "judging surrogate gradients")
    group.addoption(
        "--surrogate", action="append", default=[], metavar="TARGET", help="judge this implementation (repeatable)"
    )
    group.addoption(
        "--surrogate-spec", metavar="SPEC", help="what it declares (default: what the catalogue says, or slayer)"
    )
    group.addoption("--surrogate-profile", default="standard", metavar="PROFILE", help="quick, standard or thorough")
    group.addoption("--surrogate-seed", default=0, type=int, metavar="N", help="seed of the random inputs")
    group.addoption(
        "--surrogate-deviations", metavar="FILE", help="known departures (TOML); what one explains is an xfail"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the items before ``-k`` and the like choose among them."""
    if targets := session.config.getoption("--surrogate"):
        plans, known = _planned(list(dict.fromkeys(targets)), session.config)
        for planned in plans:
            name = planned.implementations[0].name
            node = Implementation.from_parent(session, name=name, nodeid=name, planned=planned, known=known)
            items.extend(session.genitems(node))


def _planned(targets: list[str], config: pytest.Config) -> tuple[list[Plan], tuple[Deviation, ...]]:
    """What is to be done for each target, and what is known: a mistake ends the session, not each item."""
    from surrogate_core.engine import plan
    from surrogate_core.engine.deviations import check_names, read_deviations
    from surrogate_core.spec import BadInput, get_spec

    name, file = config.getoption("--surrogate-spec"), config.getoption("--surrogate-deviations")
    try:
        spec = get_spec(str(name)) if name else None
        known = read_deviations(str(file)) if file else ()
        plans = [plan([target], spec, **_options(config)) for target in targets]
        for planned in plans:
            check_names(known, planned, targets)
    except BadInput as mistake:
        raise pytest.UsageError(str(mistake)) from None
    return plans, known


def _options(config: pytest.Config) -> dict[str, Any]:
    option = config.getoption
    return {"profile": str(option("--surrogate-profile")), "seed": int(option("--surrogate-seed") or 0)}


class Implementation(pytest.Collector):
    """One implementation under judgement."""

    def __init__(self, *, planned: Plan, known: tuple[Deviation, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.planned, self.known = planned, known

    def collect(self) -> Iterator[Judgement]:
        """One item per property that is judged."""
        for name in dict.fromkeys(unit.property_id for unit in self.planned.units):
            spec = self.planned.implementations[0].spec
            yield Judgement.from_parent(self, name=name, target=self.name, spec=spec, known=self.known)


class Judgement(pytest.Item):
    """One property of one implementation, over all its dtypes, parameters and devices."""

    def __init__(self, *, target: str, spec: Spec, known: tuple[Deviation, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target, self.spec, self.known = target, spec, known

    def runtest(self) -> None:
        from surrogate_core.conformance import settle

        settle([self.target], self.spec, self.known, properties=[self.name], **_options(self.config))

    def reportinfo(self) -> tuple[str, int | None, str]:
        return self.target, None, f"{self.target}::{self.name}"
