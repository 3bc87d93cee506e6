"""What a fresh process is asked to measure and what it answers, as JSON values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, Literal

from surrogate_core.drivers.workload import Workload
from surrogate_core.libraries.target import Target
from surrogate_core.perf.cases import Benchmark

if TYPE_CHECKING:
    from surrogate_core.spec.model import Parameters

__all__ = [
    "BARE",
    "NOT_OFFERED",
    "PROTOCOL",
    "Arm",
    "Job",
    "Measured",
    "Seconds",
    "Subject",
    "benchmark_from",
    "benchmark_to",
    "target_from",
    "target_to",
]

PROTOCOL = 8
"""Changes whenever two processes would no longer measure the same: another interpreter must have the same one."""

BARE = "bare"
"""The arm of the bare operation."""

NOT_OFFERED = "not offered: "
"""How the reason begins of a workload that a framework has no way to run: nothing has failed there."""


@dataclass(frozen=True)
class Subject:
    """A target as the probing process found it.

    Attributes:
        target: what the user typed.
        framework: ``jax`` or ``torch``.
        parameters: of the spec, at which it is timed.
        package: the distribution that it comes from; empty where there is none.
        version: of that distribution.
    """

    target: str
    framework: str
    parameters: Parameters
    package: str
    version: str

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Subject:
        """What :func:`dataclasses.asdict` made."""
        return cls(**{**values, "parameters": tuple((str(k), float(v)) for k, v in values["parameters"])})


@dataclass(frozen=True)
class Arm:
    """One of those that take turns.

    Attributes:
        kind: a target, a frozen artifact, or the bare operation.
        name: the artifact's path.
        target: as the probing process found it, so that a measuring one has nothing to look up.
        parameters: of the target.
        extra: units of real work added to each call of it, to see whether a slowdown is seen.
    """

    kind: Literal["target", "artifact", "bare"]
    name: str = ""
    target: Target | None = None
    parameters: Parameters = ()
    extra: int = 0


@dataclass(frozen=True)
class Job:
    """What one fresh process measures.

    Attributes:
        benchmarks: one after the other.
        arms: by name; in each round every one of them has a turn.
        extras: for benchmarks whose arms do more than the arm says: (benchmark, arm) -> units.
        rounds: how many.
        seed: of the order of turns.
    """

    benchmarks: tuple[Benchmark, ...]
    arms: Mapping[str, Arm]
    rounds: int
    seed: int
    extras: Mapping[tuple[str, str], int] | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "protocol": PROTOCOL,
            "benchmarks": [benchmark_to(b) for b in self.benchmarks],
            "arms": {name: _arm_to(arm) for name, arm in self.arms.items()},
            "rounds": self.rounds,
            "seed": self.seed,
            "extras": [[*where, extra] for where, extra in (self.extras or {}).items()],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Job:
        arms = {name: _arm_from(arm) for name, arm in values["arms"].items()}
        extras = {(benchmark, arm): int(extra) for benchmark, arm, extra in values["extras"]}
        listed = tuple(benchmark_from(b) for b in values["benchmarks"])
        return cls(listed, arms, int(values["rounds"]), int(values["seed"]), extras)


Seconds = Sequence[Sequence[float]]
"""Of one arm in one process: an entry a round, which has a number for every go."""


@dataclass(frozen=True)
class Measured:
    """What one process measured of one arm of one benchmark.

    Attributes:
        seconds: per call; one entry a round, which has a number for every go.
        compile_seconds: ahead of the first call.
        compilations: programs that making it ready compiles each time, whatever was made ready before.
        recompilations: programs that one more call compiled.
        counts: what is known of the computation without a clock.
    """

    seconds: tuple[tuple[float, ...], ...]
    compile_seconds: float
    compilations: int
    recompilations: int
    counts: Mapping[str, float]

    @property
    def goes(self) -> list[float]:
        """Seconds per call in every go, one round after the other."""
        return [go for goes in self.seconds for go in goes]

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Measured:
        """What :func:`dataclasses.asdict` made."""
        return cls(**{**values, "seconds": tuple(tuple(map(float, goes)) for goes in values["seconds"])})


def benchmark_to(benchmark: Benchmark) -> dict[str, Any]:
    """A benchmark as JSON values, with its name."""
    return {"id": benchmark.id, **asdict(benchmark)}


def benchmark_from(values: Mapping[str, Any]) -> Benchmark:
    """What :func:`benchmark_to` made."""
    return Benchmark(Workload(**values["workload"]), values["framework"], values["device"])


def target_to(target: Target) -> dict[str, Any]:
    """A target that can be found again, as JSON values."""
    return {f.name: getattr(target, f.name) for f in fields(target) if f.name != "given"}


def target_from(values: Mapping[str, Any]) -> Target:
    """What :func:`target_to` made."""
    pairs = {name: tuple((str(key), value) for key, value in values[name]) for name in ("keywords", "fixed")}
    return Target(**{**values, **pairs, "blocked": tuple(values["blocked"])})


def _arm_to(arm: Arm) -> dict[str, Any]:
    plain = {f.name: getattr(arm, f.name) for f in fields(arm)}
    return {**plain, "target": arm.target and target_to(arm.target)}


def _arm_from(values: Mapping[str, Any]) -> Arm:
    target = values["target"] and target_from(values["target"])
    return Arm(**{**values, "parameters": _pairs(values["parameters"]), "target": target})


def _pairs(values: Sequence[Any]) -> Parameters:
    return tuple((str(name), float(value)) for name, value in values)
