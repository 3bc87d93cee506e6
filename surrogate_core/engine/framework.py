"""Which framework an implementation belongs to, found out by trying."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from surrogate_core.drivers import FRAMEWORKS, Request, get_driver
from surrogate_core.libraries.target import Target
from surrogate_core.properties.compare import SMALL
from surrogate_core.safe_text import word
from surrogate_core.spec.model import Parameters

__all__ = ["detect"]


def detect(target: Target, parameters: Parameters) -> str:
    """The framework whose arrays the spike function takes and returns.

    An implementation whose import loaded only one framework can belong to no other. Where no framework
    gets an answer, the one that the factory's module uses is named, and judging shows the exception.
    """
    if target.framework != "auto":
        get_driver(target.framework)
        return target.framework
    factory = target.factory()
    loaded = [name for name in FRAMEWORKS if name in sys.modules]
    preferred = sorted(loaded or FRAMEWORKS[:1], key=lambda name: name not in _used(factory))
    for name in preferred:
        if _answers(name, target, parameters):
            return name
    return preferred[0]


def _used(factory: Callable[..., Any]) -> set[str]:
    """The frameworks that the factory's module holds, by the names in its global variables."""
    module = sys.modules.get(word(factory, "__module__"))
    held = list(vars(module).values()) if module else []
    names = {word(value, name).partition(".")[0] for value in held for name in ("__name__", "__module__")}
    return names & set(FRAMEWORKS)


def _answers(framework: str, target: Target, parameters: Parameters) -> bool:
    driver = get_driver(framework)
    device = driver.devices()[0].name
    try:
        with driver.scope("float32", device):
            driver.observe(
                target.build(parameters), Request("value", np.resize(np.array([-1.0, 1.0], np.float32), SMALL)), device
            )
    except (Exception, SystemExit):
        # Any refusal means: not this framework. What it was is seen again, and reported, when judged.
        return False
    return True
