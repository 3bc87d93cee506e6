"""``pytest --surrogate TARGET``: one item per property, beside the tests that are there.

Thin on purpose: a session that does not ask for it imports nothing but this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from surrogate_core.spec import Spec

__all__: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, under a heading of their own."""
    group = parser.getgroup("surrogate_core", "judging surrogate gradients")
    group.addoption(
        "--surrogate", action="append", default=[], metavar="TARGET", help="judge this implementation (repeatable)"
    )
    group.addoption("--surrogate-spec", default="slayer", metavar="SPEC", help="what it declares (default: slayer)")
    group.addoption("--surrogate-profile", default="standard", metavar="PROFILE", help="quick, standard or thorough")
    group.addoption("--surrogate-seed", default=0, type=int, metavar="N", help="seed of the random inputs")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Add the items before ``-k`` and the like choose among them."""
    if targets := session.config.getoption("--surrogate"):
        spec = _checked(targets, session.config)
        for target in dict.fromkeys(targets):
            node = Implementation.from_parent(session, name=target, nodeid=target, spec=spec)
            items.extend(session.genitems(node))


def _checked(targets: list[str], config: pytest.Config) -> Spec:
    """The spec, once everything asked for can be planned: a mistake ends the session, not each item."""
    from surrogate_core.engine import plan
    from surrogate_core.spec import BadInput, get_spec

    try:
        spec = get_spec(str(config.getoption("--surrogate-spec")))
        for target in targets:
            plan([target], spec, **_options(config))
    except BadInput as mistake:
        raise pytest.UsageError(str(mistake)) from None
    return spec


def _options(config: pytest.Config) -> dict[str, Any]:
    option = config.getoption
    return {"profile": str(option("--surrogate-profile")), "seed": int(option("--surrogate-seed") or 0)}


class Implementation(pytest.Collector):
    """One implementation under judgement."""

    def __init__(self, *, spec: Spec, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec

    def collect(self) -> Iterator[Judgement]:
        """One item per property that the spec promises."""
        from surrogate_core.properties import select

        for judged in select(()):
            if judged.applies(self.spec):
                yield Judgement.from_parent(self, name=judged.id, target=self.name, spec=self.spec)


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
