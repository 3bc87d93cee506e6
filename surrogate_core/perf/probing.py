"""What a fresh process finds out before anything is timed: targets, devices, machine."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from surrogate_core import libraries
from surrogate_core.drivers import get_driver
from surrogate_core.engine.framework import detect
from surrogate_core.libraries.target import Target, resolve
from surrogate_core.perf import machine
from surrogate_core.perf.job import Subject, target_to
from surrogate_core.spec.catalogue import get_spec

__all__ = ["probe"]


def probe(asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Which framework each target belongs to, at which parameters it is timed, and on which machine this runs."""
    found = [_subject(name, asked["spec"], asked["params"], asked["framework"]) for name in asked["targets"]]
    frameworks = sorted({subject.framework for subject, _ in found} | set(asked["frameworks"]))
    yield {
        "kind": "probe",
        "subjects": [dataclasses.asdict(subject) for subject, _ in found],
        "targets": [target_to(target) for _, target in found],
        "origins": [_origin(target) for _, target in found],
        "devices": {f: [[d.name, d.kind] for d in get_driver(f).devices()] for f in frameworks},
        "machine": machine.describe(),
    }


def _origin(target: Target) -> str:
    """The file that a target is imported from; empty where there is none."""
    found = inspect.getmodule(target.located())
    return getattr(found, "__file__", None) or ""


def _subject(name: str, spec: str | None, params: Mapping[str, float], framework: str) -> tuple[Subject, Target]:
    target = resolve(name, framework)
    if spec is None and ":" not in name:
        promised = libraries.find(name).surrogate.declared()
    else:
        promised = get_spec(spec or "slayer")
    (parameters, *_) = promised.grid("quick", {n: (v,) for n, v in params.items()})
    if not params:
        parameters = tuple((p.name, p.default) for p in promised.parameters)
    target.check_signature(parameters)
    return Subject(name, detect(target, parameters), parameters, target.distribution, target.version()), target
