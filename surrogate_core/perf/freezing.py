"""Freezing the compiled benchmarks of a target."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

from surrogate_core.errors import BadInput
from surrogate_core.perf import artifact
from surrogate_core.perf.job import Job, Subject, benchmark_to
from surrogate_core.perf.plan import plan
from surrogate_core.perf.processes import Died, answers
from surrogate_core.perf.request import Request

__all__ = ["freeze"]


def freeze(request: Request, path: str | os.PathLike[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Freeze the target's compiled benchmarks into a file; (their names, why each of the others cannot be had).

    Raises:
        BadInput: flatbuffers is missing, the target is not of JAX, nothing compiled was chosen, none of it can be
            compiled, or the file cannot be written.
    """
    if importlib.util.find_spec("flatbuffers") is None:
        raise BadInput(
            "--freeze without flatbuffers", "the package flatbuffers", "pip install 'surrogate_core[freeze]'"
        )
    laid = plan(request)
    subject = Subject.from_json(laid.header["subjects"][0])
    if subject.framework != "jax":
        raise BadInput(
            f"--freeze {subject.target!r} of {subject.framework}",
            "a target of JAX: only its programs can be kept",
            "keep an environment with the accepted version, and use --against-python",
        )
    compiled = tuple(b for b in laid.benchmarks if b.workload.mode == "compiled")
    if not compiled:
        raise BadInput(
            "--freeze of eager calls", "compiled benchmarks", "choose others with --bench, as '*/compiled/*'"
        )
    values = {b.id: benchmark_to(b) for b in compiled}
    kept: dict[str, tuple[Mapping[str, Any], bytes, Mapping[str, float]]] = {}
    left_out: dict[str, str] = {}
    try:
        for answer in answers("freeze", Job(compiled, {"new": laid.target}, 1, 0).to_json()):
            name = answer["benchmark"]
            if answer["kind"] != "frozen":
                left_out[name] = answer["error"]
                continue
            kept[name] = (values[name], bytes.fromhex(answer["program"]), answer["counts"])
    except Died as died:
        raise BadInput(
            f"--freeze {subject.target!r}: {died}", "a target that compiles", "mend the error above"
        ) from None
    if not kept:
        raise BadInput(
            f"--freeze {subject.target!r}: {'; '.join(dict.fromkeys(left_out.values()))}",
            "a target that compiles",
            "mend the error above",
        )
    artifact.write(path, subject, laid.header["machine"], laid.header["devices"], kept)
    return tuple(kept), left_out
