"""Judge surrogate gradients of spiking networks against what they declare.

    >>> import surrogate_core
    >>> report = surrogate_core.check("surrogate_core:SlayerGrad", spec="slayer")
    >>> report.conforms
    True

Importing this package loads no framework: every name below is brought in when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from surrogate_core.api import Report as Report
    from surrogate_core.api import check as check
    from surrogate_core.api import survey as survey
    from surrogate_core.conformance import conformance_tests as conformance_tests
    from surrogate_core.slayer import SlayerGrad as SlayerGrad
    from surrogate_core.slayer import slayer_grad as slayer_grad
    from surrogate_core.spec import BadInput as BadInput
    from surrogate_core.spec import Spec as Spec
    from surrogate_core.spec import get_spec as get_spec

__version__ = "0.1.0"

_HOMES = {
    "BadInput": "spec",
    "Report": "api",
    "SlayerGrad": "slayer",
    "Spec": "spec",
    "check": "api",
    "conformance_tests": "conformance",
    "get_spec": "spec",
    "slayer_grad": "slayer",
    "survey": "api",
}

__all__ = [*_HOMES, "__version__"]  # pyright: ignore[reportUnsupportedDunderAll]  (built from the table)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
