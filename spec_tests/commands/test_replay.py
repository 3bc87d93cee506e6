from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import surrogate_core
from surrogate_core import cli

RIGHT = """
import jax, jax.numpy as jnp

def make(alpha):
    @jax.custom_jvp
    def spike(x):
        return (x >= 0).astype(x.dtype)
    spike.defjvp(lambda p, t: (spike(*p), jnp.exp(-alpha * jnp.abs(p[0])) * t[0]))
    return spike
"""
WRONG = RIGHT.replace("jnp.exp(", "jnp.where(p[0] < 0, 0.5, 1.0) * jnp.exp(")


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results file of a wrong surrogate, which stands beside it."""
    path = tmp_path_factory.mktemp("mine") / "mine.py"
    path.write_text(WRONG)
    surrogate_core.check(
        f"{path}:make",
        params={"alpha": 0.7},
        profile="quick",
        dtypes=["float32"],
        properties=["gradient.peak", "gradient.symmetry", "gradient.decay"],
        results=path.with_name("run.jsonl"),
        in_process=True,
    )
    return path.with_name("run.jsonl")


@pytest.fixture
def replay(stored: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command on a results file; returns exit code, stdout, stderr."""

    def run(*arguments: object, file: Path = stored) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["surrogate-core", "replay", str(file), "--in-process", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        found = capsys.readouterr()
        return int(end.value.code or 0), found.out, found.err

    return run


def test_each_counterexample_gets_a_word_its_id_and_a_sentence(replay, stored: Path) -> None:
    code, out, err = replay()
    assert (code, err) == (1, "")
    lines = out.splitlines()
    mine = stored.with_name("mine.py")
    assert f"✗ still failing      {mine}:make::gradient.symmetry[float32-alpha=0.7-cpu:0]" in lines
    assert any(line.startswith("    As before, x = -1 (0xbf800000): 0.24829") for line in lines)
    assert lines[-1] == "2 counterexamples replayed: 2 still failing"
    assert "gradient.peak" not in out


def test_what_was_mended_passes_with_exit_code_0(replay, stored: Path) -> None:
    mine = stored.with_name("mine.py")
    mine.write_text(RIGHT)
    try:
        code, out, _ = replay()
    finally:
        mine.write_text(WRONG)
    assert code == 0
    assert out.startswith(f"since then: the source of {mine}:make has changed")
    assert out.endswith("2 counterexamples replayed: 2 now passing\n")


def test_one_reason_is_told_once(replay, stored: Path) -> None:
    mine = stored.with_name("mine.py")
    mine.unlink()
    try:
        code, out, _ = replay()
    finally:
        mine.write_text(WRONG)
    assert code == 2
    assert out.count("no file") == 1
    assert "    for the same reason\n" in out


def test_an_unknown_id_is_a_mistake_and_one_that_passes_leaves_nothing_to_do(replay) -> None:
    code, _, err = replay("gradient.symmetri")
    assert code == 2
    assert "did you mean gradient.symmetry" in err
    code, out, _ = replay("gradient.peak")
    assert (code, out) == (3, "nothing to replay: what matches 'gradient.peak' does not fail\n")


def test_a_file_that_was_cut_off_is_replayed_as_far_as_it_goes(replay, stored: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.jsonl"
    lines = stored.read_text().splitlines(keepends=True)
    wrong = [line for line in lines if '"failed"' in line and "gradient.symmetry" in line]
    cut.write_text("".join([lines[0], *wrong, lines[-2][:40]]))
    code, out, _ = replay(file=cut)
    assert code == 1
    assert f"{cut} is incomplete" in out
    assert out.endswith("1 counterexample replayed: 1 still failing\n")


def test_a_script_needs_only_the_framework_and_the_target(replay, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "shown"
    code, out, _ = replay("gradient.symmetry", "--script", folder)
    assert code == 1
    assert f"wrote 1 script to {folder}\n" in out
    (script,) = folder.iterdir()
    assert script.name.endswith("mine.py_make_gradient.symmetry_float32-alpha=0.7-cpu_0.py")
    assert "surrogate_core" not in script.read_text()
    answer = subprocess.run([sys.executable, "-I", script], capture_output=True, text=True, check=False)
    assert answer.stdout == "[0.24829265]\n"


def test_a_folder_that_cannot_be_written_is_told_after_the_answer(replay) -> None:
    code, out, err = replay("gradient.symmetry", "--script", "/proc/nowhere")
    assert code == 2
    assert "1 still failing" in out
    assert "a folder that can be written" in err
