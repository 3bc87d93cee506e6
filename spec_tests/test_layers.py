"""The floors: imports run downward only, and frameworks stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "surrogate_core"
MODULES = sorted(PACKAGE.rglob("*.py"))

FLOORS = [
    {"safe_text"},
    {"errors"},
    {"spec"},
    {"drivers"},
    {"properties", "libraries"},
    {"engine"},
    {"report", "perf"},
    {"api", "conformance"},
    {"commands"},
    {"cli", "pytest_plugin"},
    {"__main__"},
]
"""From the ground up. A room imports from its own floor only itself, and from the floors below."""

FRAMEWORKS = {"jax", "jaxlib", "torch"}
MAY_LOAD = {
    "slayer": {"jax"},
    "drivers/jax": {"jax"},
    "drivers/torch": {"torch"},
    "drivers/xla": {"jax"},  # the oracle, compiled: it counts, and judges nothing
    "drivers/survey": {"jax"},
    "drivers/exhaustive": {"jax"},
    "drivers/programs": {"jax"},
    "drivers/jax_devices": {"jax"},
    "drivers/jax_workload": {"jax"},
    "drivers/jax_counts": {"jax"},
    "drivers/jax_operations": {"jax"},
    "drivers/torch_arrays": {"torch"},
    "drivers/torch_layouts": {"torch"},
    "drivers/torch_operations": {"torch"},
    "drivers/torch_silence": {"torch"},
    "drivers/torch_workload": {"torch"},
}
"""The only modules that import a framework."""


def room(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(module: Path, where: list[ast.stmt] | None = None) -> set[str]:
    """Every module that a file imports, also within functions and under TYPE_CHECKING; or those statements alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text())) if where is None else where:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def floor(name: str) -> int:
    return next(level for level, rooms in enumerate(FLOORS) if name in rooms)


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_imports_run_downward_only(module: Path) -> None:
    here = room(module)
    if here in ("__init__", "slayer"):
        return
    for name in imports(module):
        package, _, rest = name.partition(".")
        there = rest.partition(".")[0]
        if package != "surrogate_core" or there in ("", here):
            continue
        assert there != "slayer", f"{here} knows the reference implementation"
        assert floor(there) < floor(here), f"{here} imports {there}, which is not below it"


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PACKAGE)))
def test_only_drivers_and_the_reference_implementation_import_a_framework(module: Path) -> None:
    name = module.relative_to(PACKAGE).with_suffix("").as_posix()
    # An adapter brings what its library needs, the framework too, within its own body.
    where = ast.parse(module.read_text()).body if name.startswith("libraries/") else None
    loaded = {imported.partition(".")[0] for imported in imports(module, where)} & FRAMEWORKS
    assert loaded <= MAY_LOAD.get(name, set())


def test_slayer_imports_only_jax_and_numpy() -> None:
    names = {name.partition(".")[0] for name in imports(PACKAGE / "slayer.py")}
    assert names - sys.stdlib_module_names == {"jax", "numpy"}


@pytest.mark.parametrize(
    ("statement", "unloaded"),
    [
        ("import surrogate_core", {"jax", "torch", "matplotlib", "sympy", "numpy"}),
        ("import surrogate_core.pytest_plugin", {"jax", "torch", "matplotlib", "sympy", "numpy"}),
        ("import surrogate_core.cli", {"jax", "torch", "matplotlib", "sympy", "numpy"}),
        ("import surrogate_core.drivers, surrogate_core.properties, surrogate_core.engine", {"jax", "torch"}),
        ("import surrogate_core.report.html", {"jax", "torch"}),
        ("import surrogate_core; surrogate_core.SlayerGrad", {"torch", "sympy", "matplotlib"}),
        (
            "import surrogate_core.perf.worker, surrogate_core.drivers.jax_workload",
            {"torch", "sympy", "mpmath", "matplotlib", "hypothesis", "jaxtyping", "surrogate_core.engine"},
        ),
    ],
)
def test_importing_loads_no_more_than_it_needs(statement: str, unloaded: set[str]) -> None:
    program = f"import sys; {statement}; print(*sorted(set(sys.modules) & {unloaded!r}))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
