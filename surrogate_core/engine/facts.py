"""What has to be known of a target before work can be planned. Finding it out imports the code under test."""

from __future__ import annotations

import contextlib
import hashlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surrogate_core.drivers import get_driver
from surrogate_core.engine.framework import detect
from surrogate_core.engine.surroundings import kept
from surrogate_core.libraries.target import Target
from surrogate_core.spec.model import Parameters

__all__ = ["Facts", "digest", "facts"]


@dataclass(frozen=True)
class Facts:
    """A target, once it was imported: plain values.

    Attributes:
        framework: ``jax`` or ``torch``.
        devices: (name, kind) of every device of the framework.
        absent: accelerators that were looked for and are not there.
        file: where the factory is written; empty where that cannot be told.
        line: its first line there, from 1; 0 where that cannot be told.
        digest: SHA-256 of that file; empty where there is none.
    """

    framework: str
    devices: tuple[tuple[str, str], ...]
    absent: tuple[str, ...] = ()
    file: str = ""
    line: int = 0
    digest: str = ""


def facts(target: Target, parameters: Parameters, on_import: Callable[[], None] = lambda: None) -> Facts:
    """Import the target and look; ``on_import`` is called once it has been imported.

    Raises:
        BadInput: it cannot be imported, is no factory, or its signature refuses the spec's parameters.
    """
    with kept(target.name, "importing it", importing=True):
        target.check_present()
        target.check_signature(parameters)
    on_import()
    with kept(target.name, "its first call"):
        framework = detect(target, parameters)
    driver = get_driver(framework)
    file, line = _written(target.origin())
    return Facts(
        framework,
        tuple((device.name, device.kind) for device in driver.devices()),
        driver.absent(),
        file,
        line,
        digest(file) if file else "",
    )


def digest(file: str) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()


def _written(factory: Any) -> tuple[str, int]:
    """(file, line) of a factory; of a class that says it is another module's, those of its first method."""
    plain = factory
    with contextlib.suppress(Exception):  # it wraps itself, or raises where it is asked for what it wraps
        plain = inspect.unwrap(factory)
    own = [f for f in vars(plain).values() if inspect.isfunction(f)] if inspect.isclass(plain) else [type(plain)]
    for written in (plain, *own):
        try:
            file = inspect.getsourcefile(written)
            if file and Path(file).is_file():
                return file, inspect.getsourcelines(written)[1] or 1
        except Exception:  # no file is known, or an attribute of the factory raises
            continue
    return "", 0
