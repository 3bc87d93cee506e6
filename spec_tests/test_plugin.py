"""The pytest plugin and `conformance_tests`, used as a downstream suite uses them: by another pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from surrogate_core.engine import plan
from surrogate_core.spec import get_spec

WRONG = """
import jax, jax.numpy as jnp

def asymmetric(alpha):
    @jax.custom_jvp
    def spike(x):
        return (x >= 0).astype(x.dtype)
    spike.defjvp(lambda p, t: (spike(*p), jnp.exp(-alpha * jnp.abs(p[0])) * jnp.where(p[0] < 0, 0.5, 1.0) * t[0]))
    return spike
"""

DOWNSTREAM = """
import surrogate_core
from wrong import asymmetric

test_ours = surrogate_core.conformance_tests(
    "slayer", surrogate_core.SlayerGrad, profile="quick", dtypes=["float32"], properties=["gradient.*"]
)
test_wrong = surrogate_core.conformance_tests(
    "slayer", asymmetric, profile="quick", dtypes=["float32"], properties=["gradient.symmetry", "gradient.peak"]
)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project of a maintainer."""
    (tmp_path / "wrong.py").write_text(WRONG)
    (tmp_path / "test_mine.py").write_text("def test_something_else(): pass\n")
    return tmp_path


def run(project: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    answer = subprocess.run(command, cwd=project, capture_output=True, text=True, timeout=300, check=False)
    return answer.returncode, answer.stdout + answer.stderr


def planned(profile: str) -> set[str]:
    """The properties that are judged of a surrogate in JAX."""
    return {unit.property_id for unit in plan(["surrogate_core:SlayerGrad"], get_spec("slayer"), profile=profile).units}


QUICK = ("--surrogate-profile", "quick")


def test_the_option_adds_one_item_per_property_beside_the_tests_that_are_there(project: Path) -> None:
    code, text = run(project, "--collect-only", "-q", "--surrogate", "surrogate_core:SlayerGrad")
    assert code == 0
    assert "test_mine.py::test_something_else" in text
    assert "surrogate_core:SlayerGrad::gradient.symmetry" in text
    assert f"{1 + len(planned('standard'))} tests collected" in text
    assert "torch.layout" not in text  # says nothing about JAX


def test_k_chooses_and_a_failure_shows_promise_input_and_script_but_no_traceback(project: Path) -> None:
    code, text = run(project, "--surrogate", "wrong.py:asymmetric", *QUICK, "-k", "symmetry or peak")
    assert code == 1
    assert f"1 failed, 1 passed, {1 + len(planned('quick')) - 2} deselected" in text
    assert "promised  The gradient at -x is bit for bit the gradient at x." in text
    assert "given     x = -1 (0xbf800000)" in text
    assert "implementation.asymmetric(alpha=1.0)" in text
    assert "Traceback" not in text


def test_x_stops_and_junitxml_records_under_xdist(project: Path) -> None:
    options = ("-n", "2", "--junitxml", "j.xml", "-k", "symmetry or peak or nonfinite")
    code, _ = run(project, "--surrogate", "wrong.py:asymmetric", *QUICK, *options)
    assert code == 1
    suite = ElementTree.parse(project / "j.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")


KILL = """
import os, signal

def pytest_runtest_call(item):
    if "gradient.peak" in item.nodeid:
        os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_xdist_worker_that_is_killed_fails_its_item_alone_and_each_is_counted_once(project: Path) -> None:
    (project / "conftest.py").write_text(KILL)
    options = ("-n", "2", "--junitxml", "j.xml", "-k", "symmetry or peak or nonfinite or range")
    code, text = run(project, "--surrogate", "surrogate_core:SlayerGrad", *QUICK, *options)
    assert code == 1
    assert "crashed while running 'surrogate_core:SlayerGrad::gradient.peak" in text
    suite = ElementTree.parse(project / "j.xml").getroot()[0]
    names = [case.get("name") for case in suite.iter("testcase")]
    assert len(set(names)) == len(names) == 4
    assert "1 failed, 3 passed" in text


KNOWN = """
[[deviation]]
implementation = "wrong.py:asymmetric"
property = ["gradient.symmetry"]
reason = "The left side is half as high."
"""


def test_a_known_departure_is_an_xfail_and_one_that_is_not_needed_fails(project: Path) -> None:
    (project / "known.toml").write_text(KNOWN + KNOWN.replace("gradient.symmetry", "gradient.peak"))
    options = ("--surrogate-deviations", "known.toml", "-k", "symmetry or peak", "-rx")
    code, text = run(project, "--surrogate", "wrong.py:asymmetric", *QUICK, *options)
    assert code == 1
    assert "1 failed" in text
    assert "1 xfailed" in text
    assert "known.toml:7: the entry is no longer needed: nothing that it covers fails" in text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--surrogate", "surrogate_core:SlayrGrad"), "did you mean SlayerGrad"),
        (("--surrogate", "surrogate_core:SlayerGrad", "--surrogate-spec", "slyer"), "did you mean slayer"),
        (
            ("--surrogate", "surrogate_core:SlayerGrad", "--surrogate-deviations", "none.toml"),
            "a file that can be read",
        ),
    ],
)
def test_a_mistake_is_a_usage_error(project: Path, options: tuple[str, ...], said: str) -> None:
    code, text = run(project, *options)
    assert code == pytest.ExitCode.USAGE_ERROR
    assert said in text


def test_conformance_tests_gives_one_item_per_property_in_one_line(project: Path) -> None:
    (project / "test_surrogate.py").write_text(DOWNSTREAM)
    code, text = run(project, "-v", "test_surrogate.py")
    assert code == 1
    assert "test_surrogate.py::test_ours[gradient.decay] PASSED" in text
    assert "test_surrogate.py::test_wrong[gradient.symmetry] FAILED" in text
    assert "test_surrogate.py::test_wrong[gradient.peak] PASSED" in text
    ours = [name for name in planned("quick") if name.startswith("gradient.")]
    assert f"1 failed, {len(ours)} passed, 1 skipped" in text  # one of the others passes, and one of ours is skipped


def test_a_session_without_the_option_loads_no_framework_and_no_sympy(project: Path) -> None:
    (project / "test_mine.py").write_text(
        "import sys\n\ndef test_nothing_is_loaded():\n"
        "    assert not {'jax', 'torch', 'sympy', 'numpy'} & set(sys.modules)\n"
    )
    code, text = run(project, "-p", "no:benchmark", "-p", "no:hypothesispytest", "-p", "no:jaxtyping")
    assert code == 0, text
