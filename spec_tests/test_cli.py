"""The command as a user types it: exit codes, messages, files. In-process, so that it is quick."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from surrogate_core import cli
from surrogate_core.properties import select
from surrogate_core.spec import get_spec

OURS = "surrogate_core:SlayerGrad"
SMALL = ["--profile", "quick", "--dtype", "float32", "--param", "alpha=0.7", "--property", "gradient.*"]

SURROGATES = """
import jax, jax.numpy as jnp

def one_sided(alpha):
    @jax.custom_jvp
    def spike(x):
        return (x >= 0).astype(x.dtype)
    spike.defjvp(lambda p, t: (spike(*p), jnp.exp(-alpha * jnp.abs(p[0])) * jnp.where(p[0] < 0, 0.5, 1.0) * t[0]))
    return spike

def raises(alpha):
    def spike(x):
        raise RuntimeError("no current flows")
    return spike

def refuses(slope):
    return one_sided(slope)

def none(alpha):
    return lambda x: None

def number(alpha):
    return lambda x: 1.0

def pair(alpha):
    return lambda x: (x, x)

def exits(alpha):
    raise SystemExit(0)

def nothing(alpha):
    pass

def yields(alpha):
    yield one_sided(alpha)

def one_dtype(alpha):
    def spike(x):
        if x.dtype == jnp.float16:
            raise IndexError("a bug that has nothing to do with it")
        return one_sided(alpha)(x)
    return spike

def half(alpha):
    return lambda x: x[: x.size // 2]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of surrogates, in an otherwise empty folder."""
    path = tmp_path / "mine.py"
    path.write_text(SURROGATES)
    return path


class Answer:
    """What a command answered."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command line; returns exit code, stdout, stderr."""

    def run(*arguments: object) -> Answer:
        # In a worker it is judged the same way, seconds later: see engine/isolation.
        here = ["--in-process"] if arguments[0] == "check" else []
        monkeypatch.setattr(sys, "argv", ["surrogate-core", *map(str, arguments), *here])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as end:
            cli.main()
        found = capsys.readouterr()
        code = end.value.code
        return Answer(code if isinstance(code, int) else 0 if code is None else 1, found.out, found.err)

    return run


def test_a_right_surrogate_conforms_with_exit_code_0(command, tmp_path: Path) -> None:
    results, html, junit = tmp_path / "new" / "r.jsonl", tmp_path / "r.html", tmp_path / "r.xml"
    answer = command("check", OURS, *SMALL, "--results", results, "--html", html, "--junit", junit)
    assert (answer.code, answer.err) == (0, "")
    count = len([p for p in select(("gradient.*",)) if p.applies(get_spec("slayer"))])
    assert f"{OURS} conforms to the spec slayer: {count - 1} of {count} properties hold (1 skipped)." in answer.out
    assert f"ledger: {count} planned = {count - 1} passed + 1 skipped" in answer.out
    assert "no accelerator found for" in answer.out or "gpu" in answer.out
    lines = [json.loads(line) for line in results.read_text().splitlines()]
    assert [line["kind"] for line in lines] == ["header", *["result"] * count, "footer"]
    assert html.read_text().lower().startswith("<!doctype html>")
    assert junit.read_text().count("<testcase") == count


def test_a_wrong_surrogate_does_not_conform_with_exit_code_1(command, file: Path) -> None:
    answer = command("check", f"{file}:one_sided", *SMALL)
    assert answer.code == 1
    assert "does not conform to the spec slayer" in answer.out
    assert "promised  The gradient at -x is bit for bit the gradient at x." in answer.out
    assert "given     x = -1 (0xbf800000)" in answer.out
    assert "Traceback" not in answer.out + answer.err


def test_an_exception_of_the_implementation_is_errored_with_its_whole_traceback(command, file: Path) -> None:
    answer = command("check", f"{file}:raises", *SMALL)
    assert answer.code == 1
    count = len([p for p in select(("gradient.*",)) if p.applies(get_spec("slayer"))])
    # No smooth function is offered, which is skipped before anything is called.
    assert f"{count - 1} errored + 1 skipped" in answer.out
    assert 'raise RuntimeError("no current flows")' in answer.out
    assert answer.out.count("Traceback (most recent call last)") == 1


@pytest.mark.parametrize(
    ("factory", "said"),
    [
        ("none", "the spike function returned None for a jax.Array"),
        ("number", "the spike function returned a float for a jax.Array"),
        ("pair", "the spike function returned a tuple for a jax.Array"),
        ("nothing", "the factory returned None; expected a spike function"),
        ("yields", "the factory returned a generator; expected a spike function; define it without async and yield"),
        ("half", "the spikes have shape (4096,) for an input of shape (8192,); see forward.shape"),
    ],
)
def test_what_is_no_array_of_the_right_shape_is_errored(command, file: Path, factory: str, said: str) -> None:
    answer = command("check", f"{file}:{factory}", *SMALL)
    assert answer.code == 1
    assert said in answer.out
    assert "✓ passed" not in answer.out
    assert "Traceback" not in answer.out


MISTAKES = {
    "no target": ([], "set targets under [tool.surrogate-core]"),
    "an unknown catalogue name": (["braintols.SlayerGrad"], "did you mean braintools.SlayerGrad"),
    "an unknown module": (["nowhere.at_all:f"], "no module named 'nowhere'"),
    "an unknown attribute": (["surrogate_core:SlyerGrad"], "did you mean SlayerGrad"),
    "an unknown file": (["nowhere.py:f"], "no file"),
    "a target that is no factory": (["surrogate_core:__version__"], "expected: a factory"),
    "a spike function in place of a factory": (["surrogate_core:slayer_grad"], "wrap it"),
    "an unknown spec": ([OURS, "--spec", "slyer"], "did you mean slayer"),
    "an unknown parameter": ([OURS, "--param", "alpa=1"], "did you mean alpha?"),
    "a parameter that is no number": ([OURS, "--param", "alpha=high"], "for example --param alpha=0.5,1,2"),
    "a parameter outside its domain": ([OURS, "--param", "alpha=-1"], "expected: a finite value in (0, oo)"),
    "an unknown dtype": ([OURS, "--dtype", "float31"], "did you mean float32"),
    "a glob that matches nothing": ([OURS, "--property", "grad.*"], "did you mean gradient."),
    "an unknown profile": ([OURS, "--profile", "fast"], "one of quick, standard, thorough"),
    "a negative seed": ([OURS, "--seed=-1"], "Invalid value for '--seed'"),
    "an unknown framework": ([OURS, "--framework", "tensorflow"], "auto, jax or torch"),
    "the same target twice": ([OURS, OURS], "given twice"),
    "a results path that cannot be written": (
        [OURS, *SMALL, "--results", "/proc/nowhere/r"],
        "a path that can be written",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_gets_one_clear_message_and_exit_code_2(command, mistake: str) -> None:
    arguments, said = MISTAKES[mistake]
    answer = command("check", *arguments)
    assert answer.code == 2
    assert said in answer.err
    if not mistake.endswith("seed"):  # that one typer tells, in its own form
        assert answer.err.startswith("error: ")
        assert "expected: " in answer.err
        assert "next: " in answer.err
    assert "Traceback" not in answer.err + answer.out


@pytest.mark.parametrize("arguments", [["check", OURS], ["survey", "--library", "braintools"], ["bench", OURS]])
def test_a_format_counts_each_time_one_is_given(command, arguments: list[str]) -> None:
    answer = command(*arguments, "--dtype", "float31", "--dtype", "float32")
    assert answer.code == 2
    assert "dtype 'float31'" in answer.err


def test_a_factory_that_refuses_the_parameters_is_a_mistake(command, file: Path) -> None:
    answer = command("check", f"{file}:refuses")
    assert answer.code == 2
    assert "refuses the spec's parameters" in answer.err


def test_a_target_that_cannot_be_imported_shows_why(command, tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("import nowhere_to_be_found\n")
    answer = command("check", f"{broken}:make")
    assert answer.code == 2
    assert "ModuleNotFoundError: No module named 'nowhere_to_be_found'" in answer.err


def test_a_factory_that_exits_with_0_is_errored_and_no_pass(command, file: Path) -> None:
    answer = command("check", f"{file}:exits", *SMALL)
    assert answer.code == 1
    assert "the implementation left with sys.exit(0)" in answer.out


def test_a_bug_in_one_dtype_is_not_taken_for_a_missing_dtype(command, file: Path) -> None:
    options = ["--profile", "quick", "--dtype", "float16", "--param", "alpha=1", "--property", "forward.step"]
    answer = command("check", f"{file}:one_dtype", *options)
    assert answer.code == 1
    assert "IndexError: a bug that has nothing to do with it" in answer.out


def test_failures_that_a_deviations_file_explains_conform(command, file: Path, tmp_path: Path) -> None:
    known = tmp_path / "deviations.toml"
    entry = f'[[deviation]]\nimplementation = "{file}:raises"\nproperty = "*"\n'
    known.write_text(entry + 'reason = "No current flows through it."\n')
    answer = command("check", f"{file}:raises", *SMALL, "--deviations", known, "--results", tmp_path / "r.jsonl")
    assert answer.code == 0
    assert "≈ expected failure" in answer.out
    assert "No current flows through it." in answer.out
    last = json.loads((tmp_path / "r.jsonl").read_text().splitlines()[-2])["outcome"]
    assert (last["state"], last["failure"]["state"]) == ("expected failure", "errored")
    assert last["entry"] == f"{known}:1"
    known.write_text(entry)
    answer = command("check", f"{file}:raises", *SMALL, "--deviations", known)
    assert answer.code == 2
    assert f"{known}:1: an entry without a reason" in answer.err


def test_a_deviation_that_is_no_longer_needed_does_not_conform_and_names_its_line(command, tmp_path: Path) -> None:
    known, kept = tmp_path / "deviations.toml", tmp_path / "r.jsonl"
    known.write_text(
        f'# mine\n[[deviation]]\nimplementation = "{OURS}"\nproperty = "gradient.peak"\ndtype = "float32"\n'
        'reason = "Its peak is too high."\n'
    )
    answer = command("check", OURS, *SMALL, "--deviations", known, "--results", kept)
    assert answer.code == 1
    complaint = f"{known}:2: the entry is no longer needed: nothing that it covers fails"
    assert complaint in answer.out
    assert "no longer needed" in json.loads(kept.read_text().splitlines()[-1])["complaints"][0]
    again = command("report", kept, "-o", tmp_path / "r.html")
    assert again.code == 1


def test_plain_check_does_the_projects_job_and_stops_at_its_first_failure(
    command, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = f"targets = ['{file.name}:one_sided', '{file.name}:raises']\nproperties = ['gradient.[ops]*']\n"
    (file.parent / "pyproject.toml").write_text(
        f"[tool.surrogate-core]\n{table}profile = 'quick'\ndtypes = 'float32'\nparams = {{ alpha = 0.7 }}\n"
        "max-failures = 1\n"
    )
    monkeypatch.chdir(file.parent)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(file.parent))
    answer = command("check", "--results", "r.jsonl")
    assert answer.code == 1
    assert "mine.py:one_sided does not conform" in answer.out
    assert "mine.py:raises: no verdict, because the check stopped before all of it was judged" in answer.out
    assert "::error file=mine.py,line=4,title=mine.py%3Aone_sided%3A gradient.oracle::" in answer.out
    outcomes = [json.loads(line).get("outcome", {}) for line in Path("r.jsonl").read_text().splitlines()]
    assert [o.get("state") for o in outcomes].count("failed") == 1
    assert "not run: the check stopped at its 1 failure" in outcomes[-2]["reason"]


def test_a_remark_fails_where_it_is_asked_to(command) -> None:
    only = ["--profile", "quick", "--dtype", "float32", "--property", "gradient.parameter"]
    assert command("check", OURS, *only).code == 0
    answer = command("check", OURS, *only, "--fail-on", "failed,remark")
    assert answer.code == 1
    assert "fails on failed, errored, remark: 1 remark" in answer.out
    assert command("check", OURS, "--fail-on", "remrk").code == 2


def test_a_file_may_import_its_neighbour_and_is_read_again_when_it_changes(command, tmp_path: Path) -> None:
    (tmp_path / "neighbour_of_mine.py").write_text(SURROGATES)
    mine = tmp_path / "mine.py"
    mine.write_text("from neighbour_of_mine import one_sided as make\n")
    assert command("check", f"{mine}:make", *SMALL).code == 1
    mine.write_text("from surrogate_core import SlayerGrad as make\n\n")
    assert command("check", f"{mine}:make", *SMALL).code == 0


def test_what_an_exception_says_cannot_write_on_the_terminal(command, tmp_path: Path) -> None:
    rude = tmp_path / "rude.py"
    rude.write_text("def make(alpha):\n    raise RuntimeError('\\x1b[2J' + 'loud ' * 100_000)\n")
    answer = command("check", f"{rude}:make", *SMALL)
    assert answer.code == 1
    assert "\x1b[2J" not in answer.out
    assert "more characters" in answer.out
    assert len(answer.out) < 100_000


def test_a_surrogate_that_is_broken_is_called_so_whatever_the_other_lacks(command, file: Path) -> None:
    answer = command("check", f"{file}:one_sided", OURS, "--profile", "quick", "--property", "gradient.symmetry")
    assert answer.code == 1
    assert "mine.py:one_sided does not conform" in answer.out
    assert f"{OURS} conforms" in answer.out


def test_an_unwritable_report_loses_no_results(command, tmp_path: Path) -> None:
    results = tmp_path / "r.jsonl"
    answer = command("check", OURS, *SMALL, "--results", results, "--html", "/proc/nowhere/r.html")
    assert answer.code == 2
    assert "a path that can be written" in answer.err
    assert command("report", results, "-o", tmp_path / "r.html").code == 0


def test_a_report_of_an_unfinished_run_exits_with_3(command, tmp_path: Path) -> None:
    results = tmp_path / "r.jsonl"
    command("check", OURS, *SMALL, "--results", results)
    results.write_text("".join(results.read_text().splitlines(keepends=True)[:-1]))
    answer = command("report", results, "-o", tmp_path / "r.html")
    assert answer.code == 3
    assert "no verdict, because the run was not finished" in answer.out


def test_nothing_judged_exits_with_3(command) -> None:
    answer = command("check", OURS, "--profile", "quick", "--dtype", "float32", "--property", "device.agreement")
    if "passed" in answer.out:
        pytest.skip("several devices are present: device.agreement is judged")
    assert answer.code == 3
    assert "nothing was judged" in answer.out


DAMAGE = ["", "{}\n", "not json\n", "[7]\n", *(f'{{"kind": "header", "schema": {n}, "planned": 1}}\n' for n in (1, 99))]


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_is_no_results_file_is_refused(command, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(damage)
    answer = command("report", path)
    assert answer.code == 2
    assert "results file" in answer.err


def test_list_names_every_property_with_its_promise(command) -> None:
    from surrogate_core.properties import PROPERTIES

    answer = command("list", "properties")
    assert answer.code == 0
    for prop in PROPERTIES:
        assert prop.id in answer.out
    assert "The gradient at -x is bit for bit the gradient at x." in answer.out


def test_list_shows_specs_and_implementations(command) -> None:
    assert "exp(-alpha*Abs(x))" in command("list", "specs").out
    assert "braintools.SlayerGrad" in command("list", "implementations").out
    assert command("list", "properties", "gradient.peek").code == 2


def test_a_missing_library_is_named_with_its_extra(command, monkeypatch: pytest.MonkeyPatch) -> None:
    import surrogate_core.libraries as libraries

    monkeypatch.setattr(libraries, "installed", lambda library: not library.extra)
    assert "missing: pip install 'surrogate_core[braintools]'" in command("list", "implementations").out


def test_an_interrupted_check_says_how_to_go_on_and_is_finished_by_it(
    command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from surrogate_core.engine import where

    kept, judged = tmp_path / "odd[bold]name.jsonl", where.run

    def interrupted(units):
        yield from judged(units[:3])
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(where, "run", interrupted)
        answer = command("check", OURS, *SMALL, "--results", kept)
    assert answer.code == 3
    assert f"interrupted; what is finished is in {kept}: add --resume {kept} to the same command" in answer.out
    assert len(kept.read_text().splitlines()) == 1 + 3
    again = command("check", OURS, *SMALL, "--resume", kept)
    assert again.code == 0
    assert json.loads(kept.read_text().splitlines()[-1])["kind"] == "footer"


def test_without_a_results_file_an_interruption_says_that_nothing_was_kept(
    command, monkeypatch: pytest.MonkeyPatch
) -> None:
    from surrogate_core.engine import where

    def interrupted(units):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(where, "run", interrupted)
    answer = command("check", OURS, *SMALL)
    assert answer.code == 3
    assert "interrupted; nothing was kept: with --results FILE" in answer.out


def test_durations_shows_the_slowest_properties_and_the_compilations(command) -> None:
    answer = command("check", OURS, *SMALL, "--durations", "2")
    assert answer.code == 0
    table = answer.out.partition("slowest properties")[2].splitlines()
    rows = [line.split() for line in table if line.strip() and line.split()[0].replace(".", "").isdigit()]
    assert len(rows) == 2 + 1
    assert rows[-1][2:] == ["in", "all"]
    assert float(rows[0][0]) >= float(rows[1][0])
    assert command("check", OURS, *SMALL, "--durations", "-1").code == 2
