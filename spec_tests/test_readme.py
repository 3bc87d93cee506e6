"""The README is true: its snippets run, its commands run, its make targets do what it says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from perf.handmade import A, sample, side_by_side

from surrogate_core.perf import history
from surrogate_core.perf.store import Writer

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
SNIPPETS = [block for language, block in BLOCKS if language == "python"]
COMMANDS = [line for language, block in BLOCKS if language == "console" for line in block.splitlines()]
DIRECT = [c for c in COMMANDS if c.startswith(("surrogate-core ", "pytest "))]
SETUP = [c for c in COMMANDS if c not in DIRECT]

((FILE, SOURCE),) = re.findall(r"<!-- file: (\S+) -->\n```python\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stored results that some of the commands read."""
    folder = tmp_path_factory.mktemp("stored")
    head = ["--profile", "quick", "--dtype", "float32", "--property", "gradient.peak"]
    run(["surrogate-core", "check", "surrogate_core:SlayerGrad", *head, "--results", "check.jsonl"], folder)
    timed(folder)
    return folder


@pytest.fixture
def checkout(stored: Path, tmp_path: Path) -> Path:
    """A folder like a checkout."""
    shutil.copytree(stored, tmp_path / "reports")
    return tmp_path


def timed(reports: Path) -> None:
    """A run of bench, and a history that holds another one."""
    stored, earlier = (
        side_by_side(*(sample(A, p, 1, **{"m:new": 1.0 + 0.001 * n, "bare": 1.0}) for p in range(n))) for n in (4, 3)
    )
    writer = Writer(reports / "bench.jsonl", stored.header)
    for one in stored.samples:
        writer.add(one)
    writer.finish()
    writer.close()
    history.add(reports / "history", earlier, label="earlier")


def run(command: list[str], folder: Path, code: int = 0) -> str:
    """Run with the environment's own programs first; the output, once it exits with ``code``."""
    here = str(Path(sys.executable).parent)
    path = os.pathsep.join([here, os.environ["PATH"]])
    answer = subprocess.run(
        command, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=300, check=False
    )
    assert answer.returncode == code, answer.stdout + answer.stderr
    return answer.stdout


def test_the_readme_has_snippets_and_commands() -> None:
    assert len(SNIPPETS) >= 4
    assert len(DIRECT) >= 6


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_every_python_snippet_runs(snippet: str, checkout: Path) -> None:
    run([sys.executable, "-c", snippet], checkout)


@pytest.mark.parametrize("command", DIRECT)
def test_every_command_runs(command: str, checkout: Path) -> None:
    assert run(shlex.split(command), checkout)


def test_the_worked_example_fails_as_it_is_shown(tmp_path: Path) -> None:
    (shown,) = [block for language, block in BLOCKS if language == "text" and block.startswith("$ ")]
    (tmp_path / FILE).write_text(SOURCE)
    command, *lines = shown.splitlines()
    text = run(shlex.split(command.removeprefix("$ ")), tmp_path, code=1)
    # Numbers may differ in the last bit where another processor rounds the exponential.
    kept = [line for line in lines if line.lstrip().startswith(("✗", "promised", "given", "my_surrogate"))]
    assert len(kept) == 4
    for line in kept:
        assert line in text


def test_make_check_does_the_main_job(tmp_path: Path) -> None:
    # The environment is this one, and taken as ready: what installs it is judged by the tests below.
    venv = tmp_path / "venv"
    (venv / "bin").mkdir(parents=True)
    for program in ("surrogate-core", "python"):
        (venv / "bin" / program).symlink_to(Path(sys.executable).parent / program)
    (venv / ".ready").touch()
    for name in ("check.html", "check.jsonl"):
        (ROOT / "reports" / name).unlink(missing_ok=True)
    text = run(["make", "-o", f"{venv}/.ready", "check", f"VENV={venv}"], ROOT)
    assert "surrogate_core:SlayerGrad conforms to the spec slayer" in text
    assert "braintools.SlayerGrad conforms to the spec slayer" in text
    assert (ROOT / "reports/check.html").exists()
    assert (ROOT / "reports/check.jsonl").exists()


def test_the_pip_equivalents_are_the_makefiles_own_recipe() -> None:
    recipe = MAKEFILE.replace("$(PYTHON)", "python3").replace("$(BIN)", ".venv/bin").replace("$(VENV)", ".venv")
    for command in SETUP:
        if not command.startswith("make "):
            assert f"\t{command}\n" in recipe, command


def test_every_fault_in_the_table_names_the_tests_that_try_it() -> None:
    table = TEXT.partition("| what the code under test, or the machine, does |")[2].partition("\n\n")[0]
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    assert len(rows) > 15
    for fault, tried, _ in rows:
        files = re.findall(r"`([\w./]+\.py)`", tried)
        assert files, fault
        for file in files:
            assert (ROOT / "spec_tests" / "engine" / file).is_file(), file


def test_the_make_targets_named_in_the_readme_exist() -> None:
    targets = [command.split()[1] for command in SETUP if command.startswith("make ")]
    assert {"check", "test"} <= set(targets)
    for target in targets:
        assert re.search(rf"^{target}:", MAKEFILE, flags=re.MULTILINE)


def test_ci_calls_the_readmes_test_command_what_is_thorough_and_then_the_survey() -> None:
    lines = (ROOT / ".ci/run").read_text(encoding="utf-8").splitlines()
    assert lines[-3:] == ["make test", "make thorough", "make survey"]
