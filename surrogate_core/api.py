"""The Python API: ``check(...)`` and the Report that it returns."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from surrogate_core import engine
from surrogate_core.engine.deviations import Known, check_names, read_deviations
from surrogate_core.errors import BadInput
from surrogate_core.spec import Spec, get_spec

__all__ = ["Interrupted", "Report", "check"]


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        run: header and results, as they are stored.
    """

    run: engine.Run

    @property
    def conforms(self) -> bool:
        """Whether nothing failed or errored, something was judged, and the ledger adds up."""
        return self.run.conforms

    @property
    def results(self) -> tuple[engine.Result, ...]:
        return self.run.results

    @property
    def ledger(self) -> engine.Ledger:
        return self.run.ledger

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the results file; raises :class:`BadInput` where the path cannot be written."""
        writer = engine.Writer(path, self.run.header)
        for result in self.results:
            writer.add(result)
        if self.run.complete:
            writer.finish(self.run.complaints)
        writer.close()

    def to_html(self, path: str | os.PathLike[str]) -> None:
        """Write the report, one offline file."""
        from surrogate_core.report import html

        html.write([self.run], path)


class Interrupted(KeyboardInterrupt):
    """The check was interrupted; ``report`` holds what was finished, and so does the results file."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.ledger.sentence())
        self.report = report


def check(
    target: str | Callable[..., Any] | Sequence[str | Callable[..., Any]],
    spec: str | Spec | None = None,
    *,
    params: Mapping[str, float | Sequence[float]] | None = None,
    profile: str = "standard",
    properties: Sequence[str] = (),
    dtypes: Sequence[str] = (),
    seed: int = 0,
    framework: str = "auto",
    results: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    deviations: str | os.PathLike[str] | None = None,
    on_result: Callable[[engine.Result], None] | None = None,
    on_plan: Callable[[engine.Plan], None] | None = None,
) -> Report:
    """Judge one or more implementations against what they declare.

    Args:
        target: a factory, or where to find one (``package.module:attribute``, ``path/to/file.py:attribute``,
            a catalogue name); or several of them.
        spec: a Spec, or the name of one in the catalogue; by default what the catalogue says that the target
            declares, and ``slayer`` for a target that it does not know.
        params: values to judge at, by parameter; by default the spec's own samples.
        profile: ``quick``, ``standard`` or ``thorough``.
        properties: ids or globs; by default all.
        dtypes: by default float16, bfloat16, float32 and float64.
        seed: of the random inputs.
        framework: ``jax``, ``torch``, or ``auto`` to find out by trying.
        results: where to write the results file while the check runs.
        resume: the results file of an interrupted check, which is finished; in place of ``results``.
        deviations: a file of known departures; failures that one of them explains are expected.
        on_result: called with each result as it happens.
        on_plan: called once with what will be done.

    Raises:
        BadInput: an argument that cannot be used; the message says what was expected and what to do.
        Interrupted: a KeyboardInterrupt, with the report as far as it goes.
    """
    targets = [target] if isinstance(target, str) or callable(target) else list(target)
    entries = read_deviations(deviations) if deviations is not None else ()
    planned = engine.plan(
        targets,
        get_spec(spec) if isinstance(spec, str) else spec,
        params=params,
        profile=profile,
        properties=properties,
        dtypes=dtypes,
        seed=seed,
        framework=framework,
    )
    if results is not None and resume is not None:
        raise BadInput(f"results {results} and resume {resume}", "one of them", "a resumed file is continued itself")
    earlier = engine.resume(resume, planned) if resume is not None else None
    check_names(entries, planned)
    if on_plan:
        on_plan(planned)
    head = engine.header(planned) if earlier is None else earlier.header
    known_failures = Known(entries, head, narrowed=bool(properties))
    done = [] if earlier is None else list(earlier.results)
    known = {result.id for result in done}
    path = results if earlier is None else resume
    writer = engine.Writer(path, head, None if earlier is None else done) if path is not None else None
    try:
        if on_result:
            for result in done:
                on_result(result)
        for result in engine.run([unit for unit in planned.units if unit.id not in known]):
            done.append(known_failures.settle(result))
            if writer:
                writer.add(done[-1])
            if on_result:
                on_result(done[-1])
        complaints = tuple(map(str, known_failures.complaints(done)))
        if writer:
            writer.finish(complaints)
    except KeyboardInterrupt:
        raise Interrupted(Report(engine.Run(head, tuple(done), complete=False))) from None
    finally:
        if writer:
            writer.close()
    return Report(engine.Run(head, tuple(done), True, complaints))
