"""What the zoo knows of one surrogate, read from its file without importing jax or torch."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from surrogate_core.spec import Spec, get_spec

Framework = Literal["jax", "torch"]
Profile = Literal["quick", "standard", "thorough"]
Further = Literal["formula", "zero"]

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


@dataclass(frozen=True)
class Entry:
    """One surrogate of the zoo.

    `target` is what the command is given, relative to the repository's root. `caught_by` is empty for a
    right one; for a wrong one its first id is THE property that ought to catch it (or "errored"), the further
    ids are those that may legitimately fail too. `defect` is the first line of the factory's docstring,
    `profile` the least profile that is sure to catch it, `widest` the format it takes to see it. `lacks` are, for a
    right one, the properties that ask for a capability which it does not offer: nothing else of it may be unsupported.
    `further` is what it declares of the derivatives beyond the gradient, by x once more and by a parameter; most say
    nothing of them, as SLAYER's spec does.
    """

    name: str
    framework: Framework
    target: str
    caught_by: tuple[str, ...]
    defect: str
    profile: Profile = "quick"
    widest: Literal["float32", "float64"] = "float32"
    lacks: tuple[str, ...] = ()
    further: Further | None = None

    @property
    def spec(self) -> Spec:
        """What it declares."""
        slayer = get_spec("slayer")
        further = self.further
        return slayer.replace(second_order=further, parameter_gradient=further) if further else slayer

    @property
    def right(self) -> bool:
        """Whether nothing may find fault with it."""
        return not self.caught_by

    @property
    def path(self) -> Path:
        """The zoo file that holds the factory."""
        return ROOT / self.target.rpartition(":")[0]


def factories(file: str) -> Iterator[tuple[str, str]]:
    """Name and first docstring line of every public factory of the zoo file `file`."""
    for node in ast.parse((HERE / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, (ast.get_docstring(node) or "").partition("\n")[0]


def read(file: str, framework: Framework, caught_by: dict[str, str] | None) -> Iterator[Entry]:
    """The entries of `file`; `caught_by` gives the ids of each wrong one, None says that all are right."""
    found = dict(factories(file))
    if caught_by is not None and found.keys() != caught_by.keys():
        raise ValueError(f"{file} and the manifest disagree about {sorted(found.keys() ^ caught_by.keys())}")
    target = (HERE / file).relative_to(ROOT).as_posix()
    for name, defect in found.items():
        ids = () if caught_by is None else tuple(dict.fromkeys(caught_by[name].split()))
        yield Entry(name, framework, f"{target}:{name}", ids, defect)
