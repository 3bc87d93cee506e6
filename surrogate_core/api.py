"""The Python API: ``check(...)`` and the Report that it returns."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from surrogate_core import engine
from surrogate_core.engine.deviations import Known, check_names, read_deviations
from surrogate_core.errors import BadInput
from surrogate_core.safe_text import printable
from surrogate_core.spec import Spec, get_spec

__all__ = ["Interrupted", "Report", "check", "survey"]


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes:
        run: header and results, as they are stored.
        notes: what is to be known of how they came about, in sentences.
    """

    run: engine.Run
    notes: tuple[str, ...] = ()

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
            writer.finish(self.run.troubles, self.run.complaints)
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
    max_failures: int | None = None,
    jobs: int = 1,
    timeout: float | None = None,
    total_timeout: float | None = None,
    memory: int | None = None,
    in_process: bool | None = None,
    executor: str | Executor | None = None,
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
        resume: the results file of an interrupted check, which is finished; in place of ``results``. What is known
            is decided by the ``deviations`` of now, for the results that it holds already, too.
        deviations: a file of known departures; failures that one of them explains are expected.
        max_failures: stop once so many results failed or errored; what is left is skipped, and says so.
        jobs: how many implementations are judged at a time.
        timeout: seconds that one property may take; by default many times what a slow machine needs.
        total_timeout: seconds that all properties of one implementation may take together.
        memory: MiB that a worker and its child processes may hold in memory, imports included; by default no limit.
        in_process: whether to judge in this process. By default a target that is named by a string is imported and
            judged in a worker process, and a factory that was given as an object in this one, where the
            four limits above do not hold; with ``False`` objects go to workers, too, and have to be picklable.
        executor: where to judge in place of this machine's own workers: ``processes``, ``dask``, which starts a cluster
            of ``jobs`` processes here, ``dask://host:port``, or an executor of :mod:`concurrent.futures`.
        on_result: called with each result as it happens.
        on_plan: called once with what will be done.

    Raises:
        BadInput: an argument that cannot be used; the message says what was expected and what to do.
        Interrupted: a KeyboardInterrupt, with the report as far as it goes.
    """
    return _judged(
        [target] if isinstance(target, str) or callable(target) or not isinstance(target, Iterable) else list(target),
        get_spec(spec) if isinstance(spec, str) else spec,
        jobs=jobs,
        allowed=engine.limits(profile, timeout, total_timeout, memory),
        in_process=in_process,
        executor=executor,
        results=results,
        resume=resume,
        deviations=deviations,
        max_failures=max_failures,
        on_result=on_result,
        on_plan=on_plan,
        planning={
            "params": params,
            "profile": profile,
            "properties": properties,
            "dtypes": dtypes,
            "seed": seed,
            "framework": framework,
        },
    )


def survey(
    libraries: str | Sequence[str] = (),
    *,
    profile: str = "standard",
    properties: Sequence[str] = (),
    dtypes: Sequence[str] = (),
    seed: int = 0,
    results: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    deviations: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    timeout: float | None = None,
    total_timeout: float | None = None,
    memory: int | None = None,
    executor: str | Executor | None = None,
    on_result: Callable[[engine.Result], None] | None = None,
    on_plan: Callable[[engine.Plan], None] | None = None,
) -> Report:
    """Judge every surrogate of every installed library against what the library declares of it.

    A library that is not installed is named in the report with the command that brings it; a surrogate that
    cannot be imported is a result. An entry point that cannot be used is named too, and so is an entry that names
    what the installed version lacks: all others are judged, and the survey does not conform.

    Args:
        libraries: names of libraries; by default all that are installed.
        profile: as in :func:`check`, and so are the others below, but for ``jobs``.
        properties: ids or globs; by default all.
        dtypes: by default float16, bfloat16, float32 and float64.
        seed: of the random inputs.
        results: where to write the results file while the survey runs.
        resume: the results file of an interrupted survey.
        deviations: a file of known findings.
        jobs: how many surrogates are judged at a time; by default one for each core.
        timeout: seconds that one property may take.
        total_timeout: seconds that all properties of one surrogate may take together.
        memory: MiB that a worker may hold in memory.
        executor: as in :func:`check`.
        on_result: called with each result as it happens.
        on_plan: called once with what will be done.

    Raises:
        BadInput: an argument that cannot be used; a library that is named and not installed, or has no surrogate.
        Interrupted: a KeyboardInterrupt, with the report as far as it goes.
    """
    chosen = engine.select_libraries([libraries] if isinstance(libraries, str) else list(libraries))
    return _judged(
        list(chosen.names),
        None,
        jobs=engine.cores() if jobs is None else jobs,
        allowed=engine.limits(profile, timeout, total_timeout, memory),
        in_process=None,
        executor=executor,
        results=results,
        resume=resume,
        deviations=deviations,
        max_failures=None,
        on_result=on_result,
        on_plan=on_plan,
        planning={
            "profile": profile,
            "properties": properties,
            "dtypes": dtypes,
            "seed": seed,
            "survey": True,
            "selection": chosen,
        },
    )


def _judged(
    targets: Sequence[str | Callable[..., Any]],
    spec: Spec | None,
    *,
    jobs: int,
    allowed: engine.Limits,
    in_process: bool | None,
    executor: str | Executor | None,
    results: str | os.PathLike[str] | None,
    resume: str | os.PathLike[str] | None,
    deviations: str | os.PathLike[str] | None,
    max_failures: int | None,
    on_result: Callable[[engine.Result], None] | None,
    on_plan: Callable[[engine.Plan], None] | None,
    planning: Mapping[str, Any],
) -> Report:
    """Plan, and judge what is planned; ``planning`` are options of :func:`surrogate_core.engine.plan`."""
    if results is not None and resume is not None:
        raise BadInput(f"results {results} and resume {resume}", "one of them", "a resumed file is continued itself")
    if not isinstance(jobs, int) or jobs < 1:
        raise BadInput(f"jobs {jobs!r}", "a whole number from 1 on", "leave it out to judge one at a time")
    if max_failures is not None and (not isinstance(max_failures, int) or max_failures < 1):
        raise BadInput(f"max_failures {max_failures!r}", "a whole number from 1 on", "leave it out to go on to the end")
    for path in filter(None, (results, resume, deviations)):
        if printable(os.fspath(path)) != os.fspath(path):
            raise BadInput(f"path {os.fspath(path)!r}", "a path in characters that can be shown", "choose another")
    entries = read_deviations(deviations) if deviations is not None else ()
    with engine.place(targets, allowed, jobs, in_process, executor) as place:
        planned = engine.plan(targets, spec, ask=place.facts, **planning)
        earlier = engine.resume(resume, planned) if resume is not None else None
        some = any(planning.get(name) for name in ("properties", "params", "dtypes"))
        check_names(entries, planned, narrowed=some)
        if on_plan:
            on_plan(planned)
        head = engine.header(planned, place.unlimited) if earlier is None else earlier.header
        departures = Known(entries, head, narrowed=bool(planning["properties"]))
        path = results if earlier is None else resume
        return _run(planned, place, earlier, head, departures, path, on_result, max_failures)


def _run(
    planned: engine.Plan,
    place: engine.Place,
    earlier: engine.Run | None,
    head: Mapping[str, Any],
    departures: Known,
    path: str | os.PathLike[str] | None,
    on_result: Callable[[engine.Result], None] | None,
    most: int | None,
) -> Report:
    """Judge what is planned and not there yet, and write it down as it happens."""
    done: list[engine.Result] = []
    before = () if earlier is None else earlier.results
    # What is known may have been edited since: it is no part of what was observed.
    there = tuple(map(departures.settle, before))
    notes = _told_anew(before, there)
    known = {result.id for result in there}
    writer = None
    if path is not None:
        writer = engine.Writer(path, head, None if earlier is None else there, anew=bool(notes))

    def results() -> Iterator[engine.Result]:
        yield from (result for result in planned.settled if result.id not in known)
        for result in place.run([unit for unit in planned.units if unit.id not in known]):
            yield result
            if most is not None and sum(r.outcome.state in ("failed", "errored") for r in done) >= most:
                break
        judged = {result.id for result in done}
        yield from (engine.not_run(unit, most) for unit in planned.units if most and unit.id not in judged)

    try:
        for result in there:
            done.append(result)
            if on_result:
                on_result(result)
        for result in results():
            done.append(departures.settle(result))
            if writer:
                writer.add(done[-1])
            if on_result:
                on_result(done[-1])
        # Of what was not judged nobody knows whether an entry is still needed.
        complaints = () if place.stopped else tuple(map(str, departures.complaints(done)))
        if place.stopped:
            notes += (f"what is finished is in {path}: --resume {path} goes on",) if path is not None else ()
        elif writer:
            writer.finish(place.troubles, complaints)
    except KeyboardInterrupt:
        raise Interrupted(Report(engine.Run(head, engine.arranged(head, done), complete=False), notes)) from None
    finally:
        if writer:
            writer.close()
    arranged = engine.arranged(head, done)
    return Report(engine.Run(head, arranged, not place.stopped, place.troubles, complaints), notes)


def _told_anew(before: Sequence[engine.Result], now: Sequence[engine.Result]) -> tuple[str, ...]:
    """What is to be said where known departures are others than when an interrupted run was begun."""
    amount = sum(one != other for one, other in zip(before, now, strict=True))
    if not amount:
        return ()
    return (f"the deviations are not those of the interrupted run: {amount} of its results are told by those of now",)
