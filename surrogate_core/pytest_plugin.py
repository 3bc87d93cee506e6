"""``pytest --surrogate TARGET``: one item per property, beside the tests that are there.

Thin on purpose: a session that does not ask for it imports nothing but this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from surrogate_core.engine import Plan
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the items before ``-k`` and the like choose among them."""
    if targets := session.config.getoption("--surrogate"):
        for planned in _planned(list(dict.fromkeys(targets)), session.config):
            name = planned.implementations[0].name
            node = Implementation.from_parent(session, name=name, nodeid=name, planned=planned)
            items.extend(session.genitems(node))


def _planned(targets: list[str], config: pytest.Config) -> list[Plan]:
    """What is to be done for each target: a mistake ends the session, not each item."""
    from surrogate_core.engine import plan
    from surrogate_core.spec import BadInput, get_spec

    try:
        name = config.getoption("--surrogate-spec")
        spec = get_spec(str(name)) if name else None
        return [plan([target], spec, **_options(config)) for target in targets]
    except BadInput as mistake:
        raise pytest.UsageError(str(mistake)) from None


def _options(config: pytest.Config) -> dict[str, Any]:
    option = config.getoption
    return {"profile": str(option("--surrogate-profile")), "seed": int(option("--surrogate-seed") or 0)}


class Implementation(pytest.Collector):
    """One implementation under judgement."""

    def __init__(self, *, planned: Plan, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.planned = planned

    def collect(self) -> Iterator[Judgement]:
        """One item per property that is judged."""
        for name in dict.fromkeys(unit.property_id for unit in self.planned.units):
            yield Judgement.from_parent(self, name=name, target=self.name, spec=self.planned.implementations[0].spec)


class Judgement(pytest.Item):
    """One property of one implementation, over all its dtypes, parameters and devices."""

    def __init__(self, *, target: str, spec: Spec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.target, self.spec = target, spec

    def runtest(self) -> None:
        from surrogate_core.conformance import settle

        settle([self.target], self.spec, properties=[self.name], **_options(self.config))

    def reportinfo(self) -> tuple[str, int | None, str]:
        return self.target, None, f"{self.target}::{self.name}"
