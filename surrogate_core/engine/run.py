"""Running: each unit of work becomes one result. What units of one case evaluate, they share."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from surrogate_core.drivers import BrokenContract, Driver, Observation, Request, Unsupported, get_driver
from surrogate_core.engine.plan import Implementation, Unit
from surrogate_core.engine.result import Result
from surrogate_core.engine.telling import printable, sentence, whole_traceback
from surrogate_core.engine.witness import script
from surrogate_core.properties import Case, Property, get_property
from surrogate_core.properties import outcome as outcomes

__all__ = ["Bench", "run"]

DTYPE_WORDS = {
    "float16": ("float16", "half", "f16"),
    "bfloat16": ("bfloat16", "bf16"),
    "float64": ("float64", "double", "f64"),
}
"""What a refusal calls a dtype, in lower case."""


def run(units: Sequence[Unit]) -> Iterator[Result]:
    """The results of ``units``, one after the other, as they happen."""
    bench: Bench | None = None
    for unit in units:
        if bench is None or not bench.serves(unit):
            bench = Bench(unit.implementation, unit.case)
        yield bench.judge(unit)


class Bench:
    """One implementation in one case, with the evaluations that its properties share.

    It is dropped with the case, so that no more than one case's arrays are held.
    """

    def __init__(self, implementation: Implementation, case: Case) -> None:
        self.implementation, self.case = implementation, case
        self.driver: Driver = get_driver(implementation.framework)
        self._seen: dict[Any, Observation | Unsupported | Exception] = {}
        self._function: Callable[[Any], Any] | None = None

    def serves(self, unit: Unit) -> bool:
        return unit.implementation == self.implementation and unit.case == self.case

    def judge(self, unit: Unit) -> Result:
        """Observe and judge one property."""
        start, compiled = time.perf_counter(), self.driver.compilations()
        outcome = self._outcome(get_property(unit.property_id))
        return Result(
            implementation=self.implementation.name,
            property_id=unit.property_id,
            dtype=self.case.dtype,
            device=self.case.device,
            parameters=self.case.parameters,
            outcome=outcome,
            seconds=time.perf_counter() - start,
            compilations=self.driver.compilations() - compiled,
        )

    def _outcome(self, judged: Property) -> outcomes.Outcome:
        if reason := judged.skip(self.case):
            return outcomes.Skipped(reason)
        requests = judged.observe(self.case)
        self._observe_together([r for r in requests.values() if r.key not in self._seen])
        seen: dict[str, Observation | Unsupported] = {}
        for name, request in requests.items():
            answer = self.observe(request)
            if isinstance(answer, Exception) and not isinstance(answer, Unsupported):
                return self._errored(answer, request)
            if isinstance(answer, Observation) and not judged.any_shape and (wrong := _misshapen(answer, request)):
                return outcomes.Errored(wrong, script=self._script(request, judged, wrong))
            seen[name] = answer
        try:
            # Judges compare NaNs and infinities on purpose; NumPy's warnings about them say nothing.
            with np.errstate(all="ignore"):
                outcome = judged.judge(self.case, seen)
        except Unsupported as missing:
            return outcomes.Unsupported(str(missing))
        if isinstance(outcome, outcomes.Failed):
            return replace(outcome, script=script(self, judged, outcome))
        return outcome

    def observe(self, request: Request) -> Observation | Unsupported | Exception:
        """Evaluate once; the exception, where the implementation raised one, is an answer like any other."""
        if request.key not in self._seen:
            self._seen[request.key] = self._evaluate(request)
        return self._seen[request.key]

    def _observe_together(self, requests: list[Request]) -> None:
        # What raises here raises again, and is told, when it is asked alone.
        with (
            self.driver.scope(self.case.dtype, self.case.device),
            contextlib.suppress(Exception, SystemExit),
        ):
            for request, answer in self.driver.observe_together(self._built(), requests, self.case.device):
                self._seen[request.key] = answer

    def _built(self) -> Callable[[Any], Any]:
        if self._function is None:
            made = self.implementation.target.build(self.case.parameters)
            if not callable(made):
                what = "None" if made is None else f"a {type(made).__name__}"
                hint = "; define it without async and yield" if what in ("a coroutine", "a generator") else ""
                raise BrokenContract(f"the factory returned {what}; expected a spike function{hint}")
            self._function = made
        return self._function

    def _evaluate(self, request: Request) -> Observation | Unsupported | Exception:
        with self.driver.scope(self.case.dtype, self.case.device):
            try:
                return self.driver.observe(self._built(), request, self.case.device)
            except Unsupported as missing:
                return missing
            except Exception as error:
                # Whatever the code under test raises is a result, told with its whole traceback.
                return error
            except SystemExit as error:
                # It must not choose our exit code: sys.exit(0) would read as "conforms".
                return RuntimeError(f"the implementation left with sys.exit({error.code!r})").with_traceback(
                    error.__traceback__
                )

    def _errored(self, error: Exception, request: Request) -> outcomes.Outcome:
        if self._refuses_dtype():
            return outcomes.Unsupported(f"dtype {self.case.dtype}: {sentence(error)}")
        if isinstance(error, BrokenContract):
            return outcomes.Errored(printable(str(error)), "", self._script(request, None, str(error)))
        message = sentence(error)
        return outcomes.Errored(message, whole_traceback(error), self._script(request, None, message))

    def _refuses_dtype(self) -> bool:
        """Whether the spikes alone are refused in this dtype, for its sake, yet given in float32.

        An exception that neither is a refusal by type nor names the dtype is a defect, and stays one.
        """
        if self.case.dtype == "float32":
            return False
        small = Request("value", self.case.sample((2,)))
        here = self.observe(small)
        if not isinstance(here, Exception) or isinstance(here, BrokenContract):
            return False
        named = any(word in sentence(here).lower() for word in DTYPE_WORDS[self.case.dtype])
        if not named and not isinstance(here, (TypeError, NotImplementedError)):
            return False
        other = Bench(self.implementation, replace(self.case, dtype="float32"))
        return isinstance(other.observe(Request("value", small.x.astype("float32"))), Observation)

    def _script(self, request: Request, judged: Property | None, message: str) -> str:
        small = request if request.x.size <= 64 else request.at(slice(0, 2))
        imports, build = self.implementation.target.script(self.case.parameters)
        head = f"# {judged.promise}\n" if judged else ""
        return (
            f"{head}# {printable(message).splitlines()[0][:200]}\n{self.driver.script(small, build, imports)}"
            if build
            else ""
        )


def _misshapen(observation: Observation, request: Request) -> str:
    if observation.value.shape != request.x.shape:
        shapes = f"{observation.value.shape} for an input of shape {request.x.shape}"
        return f"the spikes have shape {shapes}; see forward.shape"
    return ""
