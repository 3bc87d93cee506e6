"""Replaying: the counterexamples of a stored run, judged once more by the judges that judged them first.

Each is rebuilt from what the file says of it: the implementation, the spec, the case, of a proof the patterns, of
a search the very example. No database of examples is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from surrogate_core.engine.deviations.model import matches
from surrogate_core.engine.deviations.same import SEARCHES, difference, failing, pinned
from surrogate_core.engine.isolation import Limits
from surrogate_core.engine.plan import PROFILES, START, Implementation, Plan, Unit, unusable
from surrogate_core.engine.rebuild import example, implementation, unit
from surrogate_core.engine.result import Result
from surrogate_core.engine.resume import moved
from surrogate_core.engine.store import Run, header
from surrogate_core.engine.where import Place, place
from surrogate_core.errors import BadInput, near_misses
from surrogate_core.properties.outcome import Errored, Failed, Outcome, Passed, Skipped, Unsupported
from surrogate_core.spec.model import Spec

__all__ = ["STATES", "Replay", "Replayed", "State", "counterexamples", "exit_code", "replay"]

State = Literal["still failing", "fails differently", "cannot be run", "now passing"]
STATES: tuple[State, ...] = ("still failing", "fails differently", "cannot be run", "now passing")

NOT_JUDGED = "not judged: "
"""How the message of a result begins whose worker was ended too often before."""


@dataclass(frozen=True)
class Replayed:
    """What came of one counterexample.

    Attributes:
        before: the stored result.
        state: how it compares with what was seen now.
        sentence: what was seen now, or what differs, or why it cannot be run.
        after: the result now; ``None`` where there is none.
    """

    before: Result
    state: State
    sentence: str
    after: Result | None = None

    @property
    def script(self) -> str:
        """A program that shows it without this harness, as it fails now or else as it failed; empty for none."""
        outcomes = (failing(result.outcome) for result in (self.after, self.before) if result is not None)
        return next((o.script for o in outcomes if o is not None and o.script), "")


@dataclass(frozen=True)
class Replay:
    """What is going to be replayed.

    Attributes:
        plan: what is judged.
        settled: what is known before anything is judged.
        moved: what of versions and code is not as it was, a few words each.
    """

    plan: Plan
    settled: tuple[Replayed, ...]
    moved: tuple[str, ...]

    @property
    def units(self) -> tuple[Unit, ...]:
        return self.plan.units


def counterexamples(run: Run, wanted: str | None = None) -> tuple[Result, ...]:
    """The results of a run that fail.

    Args:
        run: the stored run.
        wanted: the id of a result, of a property or of an implementation, or a glob of one of them, whether the
            failure is a known one or not; by default all failures that are not known.

    Raises:
        BadInput: no result of the run has such an id.
    """
    broken = {r.id: r for r in run.results if failing(r.outcome)}
    if wanted is None:
        return tuple(r for r in broken.values() if r.outcome.state in ("failed", "errored"))
    found = tuple(result for result in broken.values() if _is_meant(wanted, result))
    if found or any(_is_meant(wanted, result) for result in run.results):
        return found
    known = [*(broken or {r.id: r for r in run.results}), *{r.property_id: None for r in broken.values()}]
    hint = near_misses(wanted, known)
    if hint.startswith("known:"):
        hint = f"there are {len(broken)} that fail" + (f", such as {next(iter(broken))}" if broken else "")
    raise BadInput(f"id {wanted!r}, which no result of the file has", "the id of a failing result, or a glob", hint)


def _is_meant(wanted: str, result: Result) -> bool:
    return any(matches(wanted, name) for name in (result.id, result.property_id, result.implementation))


def exit_code(found: Sequence[Replayed]) -> int:
    """0 all pass, 1 some fail, 2 some could not be run and none fails, 3 there was none."""
    states = {each.state for each in found}
    if not states:
        return 3
    return 1 if states & {"still failing", "fails differently"} else 2 if "cannot be run" in states else 0


def replay(
    run: Run,
    chosen: Sequence[Result],
    allowed: Limits,
    *,
    spec: Spec | None = None,
    jobs: int = 1,
    in_process: bool | None = None,
    on_begin: Callable[[Replay], None] = lambda begun: None,
) -> Generator[Replayed]:
    """What comes of the ``chosen`` counterexamples of a run, as it happens.

    Args:
        run: the stored run.
        chosen: of :func:`counterexamples`.
        allowed: limits of the workers.
        spec: the spec of that name, where the catalogue lacks it.
        jobs: how many implementations are judged at a time.
        in_process: whether to judge in this process.
        on_begin: called once, with what will be done.

    Raises:
        BadInput: the run has a profile or a seed that no run has.
    """
    head = run.header
    if head["profile"] not in PROFILES or head["seed"] < 0:
        raise BadInput(
            f"a results file of profile {head['profile']!r} and seed {head['seed']}",
            f"one of {', '.join(PROFILES)}, and a seed from 0 on",
            "run the check again",
        )
    names = list(dict.fromkeys(result.implementation for result in chosen))
    with place(names, allowed, jobs, in_process) as where:
        begun = _begun(head, chosen, names, where, spec)
        on_begin(begun)
        yield from begun.settled
        done = {each.before.id for each in begun.settled}
        waiting = {result.id: result for result in chosen if result.id not in done}
        for after in where.run(begun.plan.units):
            if before := waiting.pop(after.id, None):
                yield _compared(before, after, head["profile"])
        why = "; ".join(where.troubles) or "its worker never reported it"
        yield from (Replayed(before, "cannot be run", why) for before in waiting.values())


def _begun(
    head: Mapping[str, Any], chosen: Sequence[Result], names: Sequence[str], where: Place, spec: Spec | None
) -> Replay:
    """What has to be judged again, and what comes of the rest."""
    implementations: list[Implementation] = []
    units: list[Unit] = []
    settled: list[Replayed] = []
    for name in names:
        mine = [result for result in chosen if result.implementation == name]
        try:
            found = implementation(head, mine, where, spec)
        except BadInput as mistake:
            settled += [_unusable(result, mistake, head["profile"]) for result in mine]
            continue
        if isinstance(found, Errored):
            settled += [_compared(r, replace(r, outcome=found), head["profile"]) for r in mine]
            continue
        implementations.append(found)
        for result in mine:
            if result.property_id == START:
                settled.append(Replayed(result, "now passing", "It is imported, and called once, without harm."))
                continue
            try:
                units.append(unit(found, result, head))
            except (BadInput, ValueError) as reason:
                settled.append(Replayed(result, "cannot be run", str(reason)))
    plan = Plan(tuple(implementations), tuple(units), head["profile"], head["seed"])
    return Replay(plan, tuple(settled), tuple(moved(head, header(plan))))


def _unusable(before: Result, mistake: BadInput, profile: str) -> Replayed:
    """A target that cannot be imported; where just that is the counterexample, it fails."""
    if before.property_id == START:
        return _compared(before, replace(before, outcome=unusable(mistake)), profile)
    return Replayed(before, "cannot be run", str(mistake))


def _compared(before: Result, after: Result, profile: str) -> Replayed:
    """How what is seen now compares with what is stored."""
    outcome, old = after.outcome, failing(before.outcome)
    assert old is not None  # as `counterexamples` chose it
    anew = before.property_id in SEARCHES and not example(before)
    if isinstance(outcome, Passed):
        how = "It passes (the file holds no example: it was searched for anew)" if anew else "It passes"
        return Replayed(before, "now passing", f"{how}. Before, {_told(old)}", after)
    if isinstance(outcome, Unsupported):
        return Replayed(before, "cannot be run", f"It is not offered any more: {outcome.capability}", after)
    if isinstance(outcome, Skipped):
        return Replayed(before, "cannot be run", f"It is not judged here: {outcome.reason}", after)
    if _not_judged(outcome) and not _not_judged(old):
        return Replayed(before, "cannot be run", f"It was {getattr(outcome, 'message', '')}", after)
    told = difference(pinned(before, profile, drawn_anew=anew), after, profile, drawn_anew=anew)
    if told:
        return Replayed(before, "fails differently", f"{told[:1].upper()}{told[1:]}", after)
    return Replayed(before, "still failing", f"As before, {_told(failing(outcome) or old)}", after)


def _not_judged(outcome: Outcome) -> bool:
    return isinstance(outcome, Errored) and outcome.message.startswith(NOT_JUDGED)


def _told(failure: Failed | Errored) -> str:
    if isinstance(failure, Errored):
        return failure.message.splitlines()[0] if failure.message else "an exception"
    return f"{failure.given}: {failure.measured}"
