"""What is made like a surrogate in a package's sources, read and not imported: what no list of modules leaves out.

A surrogate is made in few ways: a class that derives from ``torch.autograd.Function`` or from a library's own base
class; a function with ``jax.custom_jvp``, ``custom_vjp`` or ``custom_gradient``, or to which ``defjvp`` or ``defvjp``
gives a rule; a straight-through sum, ``x + stop_gradient(y - x)`` or ``x + (y - x).detach()``. Tests within a package
are left out.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from surrogate_core.errors import BadInput
from surrogate_core.libraries.presence import module_spec

__all__ = ["constructed"]

MAKERS = frozenset({"custom_jvp", "custom_vjp", "custom_gradient"})
RULES = frozenset({"defjvp", "defjvps", "defvjp"})
FUNCTION = "torch.autograd.Function"


def constructed(package: str, bases: Iterable[str] = ()) -> tuple[str, ...]:
    """``module:qualified.name`` of everything in a package or module that is made like a surrogate, sorted.

    Args:
        package: the module to read; it has to be found, and is not imported.
        bases: names of the library's own base classes of surrogates.

    Raises:
        BadInput: there is no such package, or its sources are not there.
    """
    trees = dict(_trees(package))
    classes = set(bases) | {FUNCTION}
    found: set[str] = set()
    while True:
        # Classes that derive from what was found are found in the next round.
        again = {origin for module, tree in trees.items() for origin in _Reader(module, classes).read(tree)}
        if again == found:
            return tuple(sorted(found))
        found = again
        classes |= {origin.rpartition(":")[2].rpartition(".")[2] for origin in found}


def _trees(package: str) -> Iterator[tuple[str, ast.Module]]:
    spec = module_spec(package)
    if spec is None or spec.origin is None:
        raise BadInput(f"the package {package!r}", "an installed one with sources", "install it")
    start = Path(spec.origin)
    files = sorted(start.parent.rglob("*.py")) if spec.submodule_search_locations else [start]
    for path in files:
        within = path.relative_to(start.parent).with_suffix("").parts
        if any(part in ("test", "tests") or part.startswith("test_") or part.endswith("_test") for part in within):
            continue
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of escapes in its strings, which are no matter of ours
                tree = ast.parse(path.read_bytes())
        except SyntaxError:
            continue  # nobody can import it either
        parts = [part for part in within if part != "__init__"] if spec.submodule_search_locations else []
        yield ".".join((package, *parts)), tree


class _Reader(ast.NodeVisitor):
    """Reads one module."""

    def __init__(self, module: str, classes: set[str]) -> None:
        self.module, self.classes = module, classes
        self.scope: list[str] = []
        self.found: set[str] = set()
        self.imported: dict[str, str] = {}

    def read(self, tree: ast.Module) -> set[str]:
        self.visit(tree)
        return self.found

    def visit_Import(self, node: ast.Import) -> None:
        self.imported |= {name.asname: name.name for name in node.names if name.asname}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for name in node.names:
            self.imported[name.asname or name.name] = f"{node.module}.{name.name}"

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for base in map(self._named, node.bases):
            # The class of PyTorch by its whole name, since many are called Function; those of the package by their own.
            if base.replace("torch.autograd.function.", "torch.autograd.") in self.classes or (
                base.rpartition(".")[2] in self.classes
            ):
                self._keep(node.name)
        self._within(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            names = {self._named(part).rpartition(".")[2] for part in ast.walk(decorator) if isinstance(part, ast.expr)}
            if names & MAKERS:
                self._keep(node.name)
            if isinstance(decorator, ast.Attribute) and decorator.attr in RULES:
                self._keep(self._named(decorator.value))
        self._within(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        made = isinstance(node.value, ast.Call) and self._named(node.value.func).rpartition(".")[2] in MAKERS
        if made and isinstance(node.targets[0], ast.Name):
            self._keep(node.targets[0].id)
        else:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if self._named(node.func).rpartition(".")[2] in MAKERS:
            self._keep()
        if isinstance(node.func, ast.Attribute) and node.func.attr in RULES:
            self._keep(self._named(node.func.value))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Add) and any(map(self._stopped, (node.left, node.right))):
            self._keep()
        self.generic_visit(node)

    def _stopped(self, node: ast.expr) -> bool:
        """Whether it is a difference that no gradient passes."""
        if not isinstance(node, ast.Call):
            return False
        if isinstance(node.func, ast.Attribute) and node.func.attr == "detach":
            difference = node.func.value
        elif self._named(node.func).endswith("stop_gradient") and node.args:
            difference = node.args[0]
        else:
            return False
        return isinstance(difference, ast.BinOp) and isinstance(difference.op, ast.Sub)

    def _within(self, node: ast.ClassDef | ast.FunctionDef) -> None:
        self.scope.append(node.name)
        for child in node.body:
            self.visit(child)
        self.scope.pop()

    def _keep(self, name: str = "") -> None:
        """Found in this scope; without a name, it is the scope that is."""
        self.found.add(f"{self.module}:{'.'.join([*self.scope, *filter(None, [name])])}")

    def _named(self, node: ast.expr) -> str:
        """A name as it is written, its first part as it was imported; empty where it is none."""
        if isinstance(node, ast.Name):
            return self.imported.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self._named(node.value)}.{node.attr}"
        return ""
