"""A frozen artifact: the compiled workloads of an accepted version, kept so that they can be timed again later.

A zip archive: ``manifest.json``, and one exported program of JAX a benchmark.
"""

from __future__ import annotations

import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from surrogate_core.errors import BadInput
from surrogate_core.perf.cases import Benchmark
from surrogate_core.perf.job import Subject, benchmark_from
from surrogate_core.perf.machine import differences, place

__all__ = ["SCHEMA", "Artifact", "is_artifact", "objections", "read", "write"]

SCHEMA = 1

WANTED = ("schema", "subject", "machine", "devices", "benchmarks", "counts")


@dataclass(frozen=True)
class Artifact:
    """What is in one.

    Attributes:
        subject: the target that was frozen.
        place: where, see :func:`surrogate_core.perf.machine.place`.
        held: what is in it.
        files: benchmark -> file in the archive.
        counts: benchmark -> what was counted when it was frozen.
    """

    path: Path
    subject: Subject
    place: Mapping[str, str]
    held: tuple[Benchmark, ...]
    files: Mapping[str, str]
    counts: Mapping[str, Mapping[str, float]]

    def program(self, benchmark: str) -> bytes:
        """The frozen program of a benchmark."""
        with zipfile.ZipFile(self.path) as archive:
            return archive.read(self.files[benchmark])


def is_artifact(path: str) -> bool:
    """Whether ``path`` is a file, and so no target; what is wrong with it :func:`read` says."""
    return Path(path).is_file()


def write(
    path: str | os.PathLike[str],
    subject: Subject,
    machine: Mapping[str, Any],
    devices: Mapping[str, Any],
    frozen: Mapping[str, tuple[Mapping[str, Any], bytes, Mapping[str, float]]],
) -> None:
    """Write one; ``frozen`` is benchmark -> (its JSON values, its program, its counts).

    Raises:
        BadInput: the path cannot be written.
    """
    files = {name: f"programs/{number}" for number, name in enumerate(frozen)}
    manifest = {
        "kind": "artifact",
        "schema": SCHEMA,
        "subject": {**vars(subject)},
        "machine": machine,
        "devices": devices,
        "benchmarks": [{**values, "file": files[name]} for name, (values, _, _) in frozen.items()],
        "counts": {name: dict(counts) for name, (_, _, counts) in frozen.items()},
    }
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("manifest.json", json.dumps(manifest, indent=1))
            for name, (_, program, _) in frozen.items():
                archive.writestr(files[name], program)
    except OSError as error:
        raise BadInput(f"--freeze {path}: {error.strerror}", "a path that can be written", "choose another") from None


def read(path: str) -> Artifact:
    """The artifact at ``path``; raises :class:`BadInput` where it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            if damaged := archive.testzip():
                raise ValueError(f"{damaged} in it is damaged")
            manifest = json.loads(archive.read("manifest.json"))
            there = set(archive.namelist())
        missing = [name for name in WANTED if name not in manifest]
        if missing or manifest["schema"] != SCHEMA:
            raise ValueError(f"schema {manifest.get('schema')}" if not missing else f"no {', '.join(missing)}")
        held = tuple(benchmark_from(b) for b in manifest["benchmarks"])
        files = {b.id: str(values["file"]) for b, values in zip(held, manifest["benchmarks"], strict=True)}
        counts = {str(name): {str(k): float(v) for k, v in c.items()} for name, c in manifest["counts"].items()}
        if lacking := [b for b, file in files.items() if file not in there or b not in counts]:
            raise ValueError(f"nothing in it for {lacking[0]}")
        where = _where(manifest["machine"], manifest["devices"])
        return Artifact(Path(path), Subject.from_json(manifest["subject"]), where, held, files, counts)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise BadInput(
            f"artifact {path}: {error}",
            "a file written by `surrogate-core bench TARGET --freeze FILE`",
            "freeze the accepted version again",
        ) from None


def objections(
    kept: Artifact, machine: Mapping[str, Any], devices: Mapping[str, Any], subject: Subject
) -> tuple[str, ...]:
    """Why the artifact must not be timed here beside ``subject``: whatever was otherwise when it was frozen."""
    found = [*differences(_where(machine, devices), kept.place)]
    mine, frozen = (", ".join(f"{n}={v:g}" for n, v in s.parameters) or "none" for s in (subject, kept.subject))
    if mine != frozen:
        found.append(f"parameters {mine}, was {frozen}")
    return tuple(f"here {difference} when it was frozen" for difference in found)


def _where(machine: Mapping[str, Any], devices: Mapping[str, Any]) -> dict[str, str]:
    # By another protocol other workloads were frozen.
    return {**place(machine, devices), "measuring protocol": str(machine.get("protocol", "none"))}
