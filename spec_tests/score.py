"""The score of the tester: impostors caught, by which property; right surrogates accused, over many seeds.

    make score                                  # every impostor, and 50 seeds of every right surrogate
    python spec_tests/score.py --seeds 3 --only torch
    python spec_tests/score.py --resume         # goes on where the last one was interrupted

Everything is judged in `standard` and all formats, in as many processes as there are cores, impostors at one rate and
right surrogates at several; what is wrong at one bit pattern alone in `thorough`. Every verdict is kept in
reports/score.jsonl as it comes; one run of all takes the better part of an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from impostors import RIGHT, WRONG, Entry
from rich.console import Console
from rich.progress import track

import surrogate_core

ROOT = Path(__file__).parent.parent

KEPT = ROOT / "reports" / "score.jsonl"
"""Where the verdicts of a run are kept, a line each."""

RATES = (1.72, 0.1, 10.0, 0.7, 4.3)
"""The rates that seeds take turns at, the ends of the spec's usual ones among them. The first is that of the impostors;
none is 1 or a power of two, where the rounding of a product vanishes and halves become ones."""

CACHE = {
    "JAX_COMPILATION_CACHE_DIR": str(ROOT / "reports" / "xla"),
    "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
}
"""JAX's own compilation cache: another seed is other numbers in the same programs."""

DEADLINE = 1800
"""Seconds after which a surrogate that hangs is given up."""


SAID = ("failed", "errored", "unsupported")
"""The outcomes that say something against a surrogate."""


@dataclass(frozen=True)
class Verdict:
    """What one run said of one surrogate: the properties that failed, that errored, and that it was said to lack."""

    name: str
    seed: int
    rate: float
    failed: frozenset[str]
    errored: frozenset[str]
    unsupported: frozenset[str]

    @property
    def noticed(self) -> bool:
        """Whether anything was found at all."""
        return bool(self.failed or self.errored)

    def line(self) -> str:
        """The verdict as a line of JSON."""
        plain = {name: sorted(v) if isinstance(v, frozenset) else v for name, v in vars(self).items()}
        return json.dumps(plain) + "\n"

    @classmethod
    def read(cls, line: str) -> Verdict | None:
        """The verdict of a line; none where it is torn, or of a run that kept less of it or drew another rate."""
        try:
            plain = json.loads(line)
            said = (frozenset[str](plain[word]) for word in SAID)
            found = cls(plain["name"], plain["seed"], plain["rate"], *said)
        except (ValueError, TypeError, KeyError):
            return None
        return found if found.rate == rate(found.seed) else None

    def caught(self, entry: Entry) -> bool:
        """Whether the property that ought to catch the impostor did."""
        return bool(self.errored) if entry.caught_by[0] == "errored" else entry.caught_by[0] in self.failed

    def stray(self, entry: Entry) -> frozenset[str]:
        """Properties that fail though the impostor's defect is none of theirs, and those that err though none may."""
        return self.failed - set(entry.caught_by) | (frozenset() if "errored" in entry.caught_by else self.errored)

    def accusations(self, entry: Entry) -> frozenset[str]:
        """What is held against a right surrogate: an error, and that it lacks what it offers, as much as a failure."""
        return self.failed | self.errored | (self.unsupported - set(entry.lacks))


def rate(seed: int) -> float:
    """The rate that a seed is judged at."""
    return RATES[seed % len(RATES)]


def judge(entry: Entry, seed: int, profile: str = "standard", dtypes: Sequence[str] = ()) -> Verdict:
    """Judge one surrogate of the zoo."""
    report = surrogate_core.check(
        f"{ROOT}/{entry.target}",
        entry.spec,
        params={"alpha": [rate(seed)]},
        profile=profile,
        seed=seed,
        framework=entry.framework,
        dtypes=dtypes,
        in_process=True,
    )
    states = [(result.property_id, result.outcome.state) for result in report.results]
    said = (frozenset(p for p, s in states if s == word) for word in SAID)
    return Verdict(entry.name, seed, rate(seed), *said)


def _work(job: tuple[Entry, int]) -> Verdict:
    entry, seed = job
    # One wrong bit pattern of float32 takes all of them to find.
    return judge(entry, seed, "thorough" if entry.profile == "thorough" else "standard")


def verdicts(jobs: Sequence[tuple[Entry, int]], what: str, known: dict[tuple[str, int], Verdict]) -> list[Verdict]:
    """Every job's verdict: those that are known, and the others as they are reached, which are kept."""
    with KEPT.open("a", encoding="utf-8") as file:
        for verdict in _reached([(e, seed) for e, seed in jobs if (e.name, seed) not in known], what):
            known[verdict.name, verdict.seed] = verdict
            file.write(verdict.line())
            file.flush()
    return [known[entry.name, seed] for entry, seed in jobs]


def _reached(jobs: Sequence[tuple[Entry, int]], what: str) -> Iterator[Verdict]:
    """The verdicts in order, with a progress bar, or where there is no terminal a line a minute."""
    # Spawned, and renewed: neither framework survives a fork, and compiled programs pile up.
    context, said = multiprocessing.get_context("spawn"), time.monotonic()
    os.environ.update(CACHE)
    with context.Pool(os.cpu_count(), maxtasksperchild=40) as pool:
        pending = [pool.apply_async(_work, (job,)) for job in jobs]
        console = Console(stderr=True)
        shown = track(pending, what, console=console, disable=not console.is_terminal, transient=True)
        for done, waiting in enumerate(shown):
            if not console.is_terminal and time.monotonic() - said > 60:
                said = time.monotonic()
                print(f"{what}: {done} of {len(pending)}", file=sys.stderr, flush=True)
            yield waiting.get(DEADLINE)


def _kept() -> dict[tuple[str, int], Verdict]:
    """The verdicts of an interrupted run."""
    lines = KEPT.read_text(encoding="utf-8").splitlines() if KEPT.exists() else ()
    return {(verdict.name, verdict.seed): verdict for verdict in map(Verdict.read, lines) if verdict}


def main() -> int:
    """Print the score; 1 where an impostor survives or a right surrogate is accused."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--seeds", type=int, default=50, help="runs of each right surrogate (default: 50)")
    options.add_argument("--only", default="", help="surrogates whose target contains this")
    options.add_argument("--resume", action="store_true", help=f"go on with {KEPT.relative_to(ROOT)}")
    asked = options.parse_args()
    KEPT.parent.mkdir(exist_ok=True)
    known = _kept() if asked.resume else {}
    KEPT.write_text("".join(verdict.line() for verdict in known.values()), encoding="utf-8")
    wrong, right = ([e for e in zoo if asked.only in e.target] for zoo in (WRONG, RIGHT))
    found = verdicts([(entry, 0) for entry in wrong], "impostors", known)
    seeds = [(entry, seed) for entry in right for seed in range(asked.seeds)]
    innocent = verdicts(seeds, "right surrogates", known)
    accused = [(v, said) for (e, _), v in zip(seeds, innocent, strict=True) if (said := v.accusations(e))]

    kills = Counter(name for v in found for name in v.failed)
    alone = Counter(name for v in found for name in v.failed if len(v.failed) == 1)
    print(f"{'property':<26}{'kills':>7}{'alone':>7}")
    for name, number in kills.most_common():
        print(f"{name:<26}{number:>7}{alone[name]:>7}")
    pairs = list(zip(wrong, found, strict=True))
    survivors = [e for e, v in pairs if not v.noticed]
    missed = [(e, v) for e, v in pairs if v.noticed and not v.caught(e)]
    stray = [(e, v) for e, v in pairs if v.stray(e)]
    print(f"\nimpostors caught by the property that ought to: {sum(v.caught(e) for e, v in pairs)} of {len(pairs)}")
    print(f"survivors: {', '.join(e.name for e in survivors) or 'none'}")
    for entry, verdict in missed:
        print(f"  {entry.name}: not by {entry.caught_by[0]}, but by {', '.join(verdict.failed | verdict.errored)}")
    for entry, verdict in stray:
        print(f"  {entry.name}: also by {', '.join(verdict.stray(entry))}, which has nothing to do with it")
    print(f"right surrogates accused: {len(accused)} of {len(innocent)} runs ({len(right)} of them)")
    for verdict, said in accused:
        print(f"  {verdict.name}, seed {verdict.seed}, rate {verdict.rate:g}: {', '.join(sorted(said))}")
    return 1 if survivors or missed or stray or accused else 0


if __name__ == "__main__":
    sys.exit(main())
