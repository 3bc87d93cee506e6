"""A project of somebody else, and its CI: the steps of `action.yml` and of both examples are run as they are written.

Runners are not here, nor is a network. What is replaced, and nothing else: `uses:` of actions that are not ours are
left out, and pip answers without installing, in an environment that has everything already; the project is found
through PYTHONPATH instead of by `pip install -e .`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

ROOT = Path(__file__).parent.parent
EXAMPLE = Path(__file__).parent / "downstream"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
INPUT = re.compile(r"\$\{\{\s*inputs\.([\w-]+)\s*\}\}")

PYTHON = """#!/bin/sh
if [ "$1 $2" = "-m pip" ]; then shift 2; printf '%s\\n' "$@" >> "$ASKED"; exit 0; fi
exec {python} "$@"
"""


class Runner:
    """What a runner's shell is for a step: its folder, its variables, and programs of which pip only notes down."""

    def __init__(self, folder: Path) -> None:
        self.project, self.asked, self.summary = folder / "project", folder / "asked", folder / "summary.md"
        shutil.copytree(EXAMPLE, self.project, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
        programs = folder / "bin"
        programs.mkdir()
        for name, text in {
            "python": PYTHON.format(python=sys.executable),
            "pip": '#!/bin/sh\nexec python -m pip "$@"\n',
        }.items():
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
        self.environment = {**os.environ, "PATH": path, "ASKED": str(self.asked), "PYTHONPATH": str(self.project)}

    def shell(self, script: str, more: Mapping[str, str], folder: str = ".") -> subprocess.CompletedProcess[str]:
        # The very shell of GitHub's `shell: bash`.
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.project / folder,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )

    def act(self, **given: str) -> subprocess.CompletedProcess[str]:
        """Run the action with these inputs, up to the first step that fails; the answer of the last one."""
        inputs = {name: str(known["default"]) for name, known in ACTION["inputs"].items()}
        inputs |= {name.replace("_", "-"): value for name, value in given.items()}
        github = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_ACTION_PATH": str(ROOT),
            "GITHUB_WORKSPACE": str(self.project),
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }

        def filled(text: str) -> str:
            return INPUT.sub(lambda found: inputs[found[1]], text)

        answer = self.shell("", {})
        for step in ACTION["runs"]["steps"]:
            environment = {name: filled(value) for name, value in step["env"].items()}
            answer = self.shell(filled(step["run"]), github | environment, filled(step["working-directory"]))
            if answer.returncode:
                break
        return answer


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """A runner that has checked out the example project."""
    return Runner(tmp_path)


def green(junit: Path) -> bool:
    suites = list(ElementTree.parse(junit).getroot().iter("testsuite"))
    return bool(suites) and all(suite.get("failures") == suite.get("errors") == "0" for suite in suites)


def written(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_the_examples_github_workflow_runs_as_it_is_written(runner: Runner) -> None:
    (job,) = yaml.safe_load((EXAMPLE / ".github/workflows/surrogates.yml").read_text())["jobs"].values()
    done = []
    for step in job["steps"]:
        if "run" in step:
            answer = runner.shell(step["run"], {})
        elif "/surrogate_core@" in step["uses"]:
            answer = runner.act(**step["with"])
        else:
            continue
        assert answer.returncode == 0, answer.stdout + answer.stderr
        done.append(answer.stdout)
    acted, tested = done
    assert runner.asked.read_text().split() == ["install", str(ROOT), "-e", ".", "pytest"]
    assert "conforms to the spec fast_sigmoid_of_smallsnn" in acted
    assert "expected failure" in acted
    assert runner.summary.read_text().startswith("## ✓ conforms")
    assert "2 xfailed" in tested
    kept = runner.project / job["steps"][-1]["with"]["path"]
    assert written(kept) == {"check.jsonl", "check.html", "junit.xml", "summary.md", "pytest.xml"}
    assert green(kept / "junit.xml")
    assert green(kept / "pytest.xml")


def test_the_examples_gitlab_job_runs_as_it_is_written(runner: Runner) -> None:
    (job,) = yaml.safe_load((EXAMPLE / ".gitlab-ci.yml").read_text()).values()
    # The suite of the example is run by the test above.
    answer = runner.shell("\n".join(job["script"][:-1]), job["variables"])
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert runner.asked.read_text().split() == ["install", "surrogate_core", "pytest", "-e", "."]
    (folder,) = job["artifacts"]["paths"]
    assert written(runner.project / folder) == {"check.jsonl", "check.html", "junit.xml", "summary.md"}
    reports = list(runner.project.glob(job["artifacts"]["reports"]["junit"]))
    assert [green(report) for report in reports] == [True]
    assert job["script"][-1] == "python -m pytest --junitxml=reports/pytest.xml"


def test_the_action_fails_where_the_project_does_not_conform(runner: Runner) -> None:
    known = runner.project / "deviations.toml"
    known.write_text(known.read_text().replace("x = 0 (0x00000000)", "x = 2 (0x40000000)"))
    settings = runner.project / "pyproject.toml"
    few = '[tool.surrogate-core]\nproperties = ["forward.step", "state.instances", "gradient.peak"]'
    settings.write_text(settings.read_text().replace("[tool.surrogate-core]", few))
    answer = runner.act(profile="quick", fail_on="failed,errored")
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "::error file=deviations.toml,line=1,title=deviations::" in answer.stdout
    assert "::error file=smallsnn/__init__.py,line=" in answer.stdout
    assert runner.summary.read_text().startswith("## ✗ does not conform")
    assert not green(runner.project / "surrogate-core-reports" / "junit.xml")


def test_no_input_of_the_action_is_run_by_the_shell(runner: Runner) -> None:
    hostile = "$(touch stolen); `touch stolen`"
    names = [name for name in ACTION["inputs"] if name not in ("python", "working-directory", "install", "extras")]
    answer = runner.act(**dict.fromkeys(names, hostile), extras="torch,norse", install="-c constraints.txt")
    assert answer.returncode == 2, answer.stdout + answer.stderr
    assert not list(runner.project.rglob("stolen"))
    assert runner.asked.read_text().split() == ["install", f"{ROOT}[torch,norse]", "-c", "constraints.txt"]


def uses(steps: list[dict[str, Any]]) -> Iterator[str]:
    for step in steps:
        assert not INPUT.search(step.get("run", "")), "an input in a script is run by the shell"
        yield from re.findall(r"inputs\.([\w-]+)", str(step))


def test_every_input_of_the_action_is_described_and_used() -> None:
    assert set(uses(ACTION["runs"]["steps"])) == set(ACTION["inputs"])
    assert all(known["description"] and "default" in known for known in ACTION["inputs"].values())


def test_the_readme_shows_steps_of_the_example() -> None:
    (shown,) = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "README.md").read_text(), flags=re.MULTILINE | re.DOTALL)
    assert textwrap.indent(shown, 6 * " ") in (EXAMPLE / ".github/workflows/surrogates.yml").read_text()
