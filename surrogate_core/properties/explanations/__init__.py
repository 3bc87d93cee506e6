"""What stands behind every property, for people: one TOML file a topic, named as the first part of its ids.

Plain data, so that the terminal and a report show the same words.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

from surrogate_core.properties import get_property

__all__ = ["Explanation", "explanation"]

ALPHA = 1.72
"""Neither 1 nor a power of two, where the rounding of a product vanishes and halves become ones."""


@dataclass(frozen=True)
class Explanation:
    """A property, explained.

    Attributes:
        property_id: its id.
        promise: the sentence of the property itself.
        why: why training cares.
        slip: what is wrong with the surrogate that breaks it.
        broken: the source of that surrogate: one factory of at most five lines, and its imports.
        observed: what is evaluated.
        judged: what is accepted.
        mended: how such defects are usually mended.
        dtype: a format in which the surrogate shows its defect.
        profile: the least profile in which it does.
        spec: what a spec has to declare beside what ``slayer`` does, for it to be a defect.
        devices: the number of devices that it takes to see it.
        told: whether the surrogate fails the property, or passes it with a remark.
    """

    property_id: str
    promise: str
    why: str
    slip: str
    broken: str
    observed: str
    judged: str
    mended: str
    dtype: str = "float32"
    profile: str = "quick"
    spec: Mapping[str, str] = field(default_factory=dict)
    devices: int = 1
    told: Literal["failure", "remark"] = "failure"

    @property
    def factory(self) -> str:
        """The name of the factory in ``broken``."""
        (name,) = re.findall(r"^(?:def|class) (\w+)", self.broken, flags=re.MULTILINE)
        return name

    @property
    def framework(self) -> str:
        """``jax`` or ``torch``."""
        return "torch" if "import torch" in self.broken else "jax"

    @property
    def attempt(self) -> str:
        """What to type to see it happen where ``broken`` is saved as ``broken.py``."""
        if self.spec:
            declared = ", ".join(f"{name}='{value}'" for name, value in self.spec.items())
            options = f"profile='{self.profile}', dtypes=['{self.dtype}'], params={{'alpha': {ALPHA}}}"
            call = f"s.check('broken.py:{self.factory}', spec, properties=['{self.property_id}'], {options})"
            spec = f"s.get_spec('slayer').replace({declared})"
            return f'python -c "import surrogate_core as s; spec = {spec}; print({call}.results)"'
        several = f"XLA_FLAGS=--xla_force_host_platform_device_count={self.devices} " if self.devices > 1 else ""
        command = f"{several}surrogate-core check broken.py:{self.factory} --property {self.property_id}"
        return f"{command} --profile {self.profile} --dtype {self.dtype} --param alpha={ALPHA}"


def explanation(property_id: str) -> Explanation:
    """The explanation of a property.

    Raises:
        BadInput: there is no such property.
    """
    judged = get_property(property_id)
    told = {key: _flowing(key, value) for key, value in _topic(property_id.partition(".")[0])[property_id].items()}
    return Explanation(property_id=judged.id, promise=judged.promise, **told)


@functools.cache
def _topic(name: str) -> Mapping[str, Mapping[str, Any]]:
    return tomllib.loads((resources.files(__name__) / f"{name}.toml").read_text(encoding="utf-8"))


def _flowing(key: str, value: Any) -> Any:
    """Prose without the line breaks of its file; source as it stands there."""
    if not isinstance(value, str):
        return value
    return value.strip() + "\n" if key == "broken" else " ".join(value.split())
