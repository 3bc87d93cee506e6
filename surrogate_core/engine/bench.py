"""The bench: one implementation in one case, its live instances, and the answers that properties share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from surrogate_core.drivers import BrokenContract, Driver, Observation, Request, Unsupported, get_driver
from surrogate_core.drivers.base import Awaited
from surrogate_core.drivers.tally import Span, Tally
from surrogate_core.engine.plan import Implementation, Unit
from surrogate_core.engine.telling import sentence
from surrogate_core.engine.threads import Wrap, at_once
from surrogate_core.properties import Case, Property
from surrogate_core.spec.model import Parameters

__all__ = ["Answer", "Bench"]

Answer = Observation | Unsupported | Exception
"""What came of a request; an exception of the implementation is an answer like any other."""


class Bench:
    """Where requests are evaluated, each once.

    It is dropped with the case, so that no more than one case's arrays are held.
    """

    def __init__(self, implementation: Implementation, case: Case) -> None:
        self.implementation, self.case = implementation, case
        self.driver: Driver = get_driver(implementation.framework)
        self._seen: dict[Any, Answer] = {}
        self._awaited: dict[Any, Awaited] = {}
        self._made: dict[tuple[Parameters, str], Callable[[Any], Any]] = {}

    def serves(self, unit: Unit) -> bool:
        """Whether the unit belongs to this implementation and case."""
        return unit.implementation == self.implementation and unit.case == self.case

    def prepare(self, properties: Iterable[Property]) -> None:
        """Answer at once what one program can answer of everything that the properties ask for."""
        requests: list[Request] = []
        for judged in properties:
            with contextlib.suppress(Exception):  # a property that raises does so again when it is judged
                if not judged.skip(self.case):
                    requests += judged.observe(self.case).values()
        self.observe_together(requests)

    def observe(self, request: Request) -> Answer:
        """Evaluate, or recall the answer."""
        if awaited := self._awaited.pop(request.key, None):
            self._receive(request, awaited)
        if request.key not in self._seen:
            self._seen[request.key] = self._evaluate(request)
        return self._seen[request.key]

    def known(self, requests: Iterable[Request]) -> bool:
        """Whether all of them have been answered."""
        return all(request.key in self._seen or request.key in self._awaited for request in requests)

    def observe_together(self, requests: Sequence[Request]) -> None:
        """Answer those of the requests that one program can answer; the others are left alone."""
        plain = (r for r in requests if r.parameters is None and not r.instance and r.threads == 1)
        wanted = {r.key: r for r in plain if not self.known([r])}
        if not wanted:
            return
        # What raises here raises again, and is told, when it is asked alone.
        with self.driver.scope(self.case.dtype, self.case.device), contextlib.suppress(Exception, SystemExit):
            for request, answer in self.driver.observe_together(
                self.spike(self.case.parameters), [*wanted.values()], self.case.device
            ):
                self._awaited[request.key] = answer

    def _receive(self, request: Request, answer: Awaited) -> None:
        # What raises here raises again, and is told, when it is asked alone.
        with self.driver.scope(self.case.dtype, self.case.device), contextlib.suppress(Exception, SystemExit):
            self._seen[request.key] = answer()

    def tally(self, span: Span) -> Tally | Exception:
        """What is counted over a span of bit patterns; the exception, where the implementation raised one."""
        try:
            with self.driver.scope(self.case.dtype, self.case.device):
                spike = self.spike(self.case.parameters)
                return self.driver.tally(spike, self.case.spec, self.case.parameters, span, self.case.device)
        except Exception as error:
            return error
        except SystemExit as error:
            return _left(error)

    def forget_answers(self) -> None:
        """Answer everything anew: what was seen is in doubt."""
        self._seen.clear()
        self._awaited.clear()

    def forget(self, instances: Iterable[str]) -> None:
        """Let go of instances that no further request names."""
        gone = set(instances)
        self._made = {who: made for who, made in self._made.items() if who[1] not in gone}

    def spike(self, parameters: Parameters, instance: str = "") -> Callable[[Any], Any]:
        """The spike function of an instance, made when it is first asked for.

        Raises:
            BrokenContract: the factory made something that cannot be called.
        """
        if (parameters, instance) not in self._made:
            made = self.implementation.target.build(parameters)
            if not callable(made):
                kind = type(made).__name__
                what = "None" if made is None else f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
                lazy = kind in ("coroutine", "generator", "async_generator")
                hint = "; define it without async and yield" if lazy else ""
                raise BrokenContract(f"the factory returned {what}; expected a spike function{hint}")
            self._made[parameters, instance] = made
        return self._made[parameters, instance]

    def _evaluate(self, request: Request) -> Answer:
        try:
            if request.threads == 1:
                return self._here(request)
            # Made before, and not by the first thread that comes.
            self.spike(self._parameters(request), request.instance)
            return at_once(request, self._here)
        except Unsupported as missing:
            return missing
        except Exception as error:
            # Whatever the code under test raises is a result, told with its whole traceback.
            return Unsupported(sentence(error)) if request.tolerant else error
        except SystemExit as error:
            return _left(error)

    def _parameters(self, request: Request) -> Parameters:
        return self.case.parameters if request.parameters is None else request.parameters

    def _here(self, request: Request, wrap: Wrap = lambda function: function) -> Observation:
        parameters = self._parameters(request)
        # Not the case's dtype: what is asked in float64 shall not be rounded to it.
        with self.driver.scope(request.x.dtype.name, self.case.device):
            if request.operation == "parameter":
                function = self._maker(request.wrt, parameters)
            else:
                function = wrap(self.spike(parameters, request.instance))
            return self.driver.observe(function, request, self.case.device)

    def _maker(self, name: str, parameters: Parameters) -> Callable[[Any], Callable[[Any], Any]]:
        target = self.implementation.target
        arguments, keyword = target.arguments(parameters), next(iter(target.arguments(((name, 0.0),))))
        return lambda value: target.factory()(**{**arguments, keyword: value})


def _left(exit_: SystemExit) -> Exception:
    # It must not choose our exit code: sys.exit(0) would read as "conforms".
    return RuntimeError(f"the implementation left with sys.exit({exit_.code!r})").with_traceback(exit_.__traceback__)
