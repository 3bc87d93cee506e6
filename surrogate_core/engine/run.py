"""Running: each unit of work becomes one result. What units of one case evaluate, they share."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from surrogate_core.drivers import BrokenContract, Observation, Request, Unsupported
from surrogate_core.drivers.tally import NoOracle, Span
from surrogate_core.engine import search
from surrogate_core.engine.bench import Bench
from surrogate_core.engine.garbage import earlier_objects_spared
from surrogate_core.engine.ledger import NOT_RUN
from surrogate_core.engine.plan import Unit
from surrogate_core.engine.result import Result
from surrogate_core.engine.surroundings import kept, told
from surrogate_core.engine.telling import printable, sentence, shown, whole_traceback
from surrogate_core.engine.witness import programme, script
from surrogate_core.properties import Proof, Property, Search, Statement, get_property
from surrogate_core.properties import outcome as outcomes
from surrogate_core.properties.base import Requests, Seen

__all__ = ["judge", "not_run", "run"]

SHOWN = ("message", "capability", "reason", "given", "measured", "allowed")
"""What an outcome says in words, in which there may be some of the implementation's own."""

DTYPE_WORDS = {
    "float16": ("float16", "half", "f16"),
    "bfloat16": ("bfloat16", "bf16"),
    "float64": ("float64", "double", "f64"),
}
"""What a refusal calls a dtype, in lower case."""


def run(
    units: Sequence[Unit], *, shared: bool = True, on_begin: Callable[[Unit | None], None] = lambda unit: None
) -> Iterator[Result]:
    """The results of ``units``, one after the other, as they happen.

    Args:
        units: what is to be judged.
        shared: whether one program may evaluate at once what the properties of a case need.
        on_begin: called with each unit before it is judged, and with ``None`` before what a case's units share.
    """
    bench: Bench | None = None
    with earlier_objects_spared():
        for number, unit in enumerate(units):
            spent = 0.0, 0
            if bench is None or not bench.serves(unit):
                on_begin(None)
                bench = Bench(unit.implementation, unit.case)
                if shared:
                    start, compiled = time.perf_counter(), bench.driver.compilations()
                    together = itertools.takewhile(bench.serves, itertools.islice(units, number, None))
                    served = (get_property(u.property_id) for u in together)
                    with kept(unit.implementation.name) as replaced:
                        bench.prepare([judged for judged in served if isinstance(judged, Property)])
                    if replaced:
                        bench.forget_answers()
                    spent = time.perf_counter() - start, bench.driver.compilations() - compiled
            on_begin(unit)
            result = judge(bench, unit)
            # What was evaluated for all is told with the first.
            yield replace(result, seconds=result.seconds + spent[0], compilations=result.compilations + spent[1])


def judge(bench: Bench, unit: Unit) -> Result:
    """Observe and judge one property."""
    start, compiled = time.perf_counter(), bench.driver.compilations()
    try:
        with kept(bench.implementation.name) as replaced:
            outcome = _outcome(bench, get_property(unit.property_id), unit)
        if replaced:
            bench.forget_answers()
            outcome = outcomes.Errored(f"it replaced {', '.join(replaced)}, so that nothing observed with it counts")
    except Exception as error:
        # What the implementation raises is told elsewhere: here it is the property, and the others are judged.
        message = f"the property itself raised, which says nothing of the implementation: {sentence(error)}"
        outcome = outcomes.Errored(message, whole_traceback(error))
    outcome = replace(outcome, **{name: shown(getattr(outcome, name)) for name in SHOWN if hasattr(outcome, name)})
    return unit.result(
        outcome,
        seconds=time.perf_counter() - start,
        compilations=bench.driver.compilations() - compiled,
        process=told(bench.implementation.name),
    )


def not_run(unit: Unit, failures: int) -> Result:
    """The result of a unit that was not judged because a check stopped at so many failures."""
    reason = f"{NOT_RUN}the check stopped at its {failures} failure{'s' if failures > 1 else ''} (--max-failures)"
    return unit.result(outcomes.Skipped(reason))


def _outcome(bench: Bench, judged: Statement, unit: Unit) -> outcomes.Outcome:
    if reason := judged.skip(bench.case):
        return outcomes.Skipped(reason)
    if isinstance(judged, Search):
        found = search.run(
            judged, bench, lambda example, requests: _example(bench, judged, example, requests), unit.example
        )
    elif isinstance(judged, Property):
        found = _settled(bench, judged, judged.observe(bench.case), partial(judged.judge, bench.case))
    elif isinstance(judged, Proof) and unit.span is not None:
        found = _counted(bench, judged, unit.span)
    else:
        raise TypeError(f"{judged.id} is neither a Property nor a Search, nor a Proof with a span")
    if isinstance(found, outcomes.Failed):
        return replace(found, script=script(bench, judged, found))
    return found


def _example(bench: Bench, judged: Search, example: Any, requests: Requests) -> outcomes.Outcome:
    return _settled(bench, judged, requests, partial(judged.judge, bench.case, example))


def _counted(bench: Bench, judged: Proof, span: Span) -> outcomes.Outcome:
    counted = bench.tally(span)
    if isinstance(counted, NoOracle):
        return outcomes.Skipped(str(counted))
    if isinstance(counted, Exception):
        return _errored(bench, counted, Request("vjp", bench.case.sample((2,))))
    part = (bench.case, span, counted)
    return _settled(bench, judged, judged.closer(*part), partial(judged.judge, *part))


def _settled(
    bench: Bench, judged: Statement, requests: Requests, judge: Callable[[Seen], outcomes.Outcome]
) -> outcomes.Outcome:
    """What came of the requests, judged; or why they could not be."""
    bench.observe_together([*requests.values()])
    seen: dict[str, Observation | Unsupported] = {}
    for name, request in requests.items():
        answer = bench.observe(request)
        if isinstance(answer, Exception) and not isinstance(answer, Unsupported):
            return _errored(bench, answer, request)
        if isinstance(answer, Observation) and not judged.any_shape and (wrong := _misshapen(answer, request)):
            return outcomes.Errored(wrong, script=_script(bench, request, judged, wrong))
        seen[name] = answer
    try:
        # Judges compare NaNs and infinities on purpose; NumPy's warnings about them say nothing.
        with np.errstate(all="ignore"):
            return judge(seen)
    except Unsupported as missing:
        return outcomes.Unsupported(str(missing))


def _errored(bench: Bench, error: Exception, request: Request) -> outcomes.Outcome:
    if _refuses_dtype(bench):
        return outcomes.Unsupported(f"dtype {bench.case.dtype}: {sentence(error)}")
    if isinstance(error, BrokenContract):
        return outcomes.Errored(printable(str(error)), "", _script(bench, request, None, str(error)))
    message = sentence(error)
    return outcomes.Errored(message, whole_traceback(error), _script(bench, request, None, message))


def _refuses_dtype(bench: Bench) -> bool:
    """Whether the spikes alone are refused in this dtype, for its sake, yet given in float32.

    An exception that neither is a refusal by type nor names the dtype is a defect, and stays one.
    """
    if bench.case.dtype == "float32":
        return False
    small = Request("value", bench.case.sample((2,)))
    here = bench.observe(small)
    if not isinstance(here, Exception) or isinstance(here, BrokenContract):
        return False
    named = any(word in sentence(here).lower() for word in DTYPE_WORDS[bench.case.dtype])
    if not named and not isinstance(here, (TypeError, NotImplementedError)):
        return False
    other = Bench(bench.implementation, replace(bench.case, dtype="float32"))
    return isinstance(other.observe(Request("value", small.x.astype("float32"))), Observation)


def _script(bench: Bench, request: Request, judged: Statement | None, message: str) -> str:
    small = request if request.x.size <= 64 or request.x.ndim != 1 else request.at(slice(0, 2))
    head = f"# {judged.promise}\n" if judged else ""
    written = programme(bench, (small,))
    return f"{head}# {printable(message).splitlines()[0][:200]}\n{written}" if written else ""


def _misshapen(observation: Observation, request: Request) -> str:
    if observation.value.shape != request.x.shape:
        shapes = f"{observation.value.shape} for an input of shape {request.x.shape}"
        return f"the spikes have shape {shapes}; see forward.shape"
    return ""
