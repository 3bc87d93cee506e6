"""The survey of a library as somebody else might add it: what is known of it, and what happens when it changes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from surrogate_core import cli, engine, libraries

LIBRARY = """
from surrogate_core.libraries import Library, Surrogate

def surrogate(name, spec):
    return Surrogate(f"humps.{name}", spec, "jax", "humps", name)

LIBRARY = Library("humps", "humps", "humps", "", (surrogate("slayer", "slayer"), surrogate("atan", "arctan")))
"""

HUMPS = """
import jax, jax.numpy as jnp

def made(rule):
    @jax.custom_jvp
    def spike(x):
        return (x >= 0).astype(x.dtype)
    spike.defjvp(lambda p, t: (spike(*p), rule(p[0]) * t[0]))
    return spike

def slayer(alpha):
    return made(lambda x: jnp.exp(-alpha * jnp.abs(x)){scale})

def atan(alpha):
    return made(lambda x: alpha / 2 / (1 + (jnp.pi / 2 * alpha * x) ** 2))
"""

QUICK = ["--library", "humps", "--profile", "quick", "--dtype", "float32"]
PEAK = [*QUICK, "--property", "gradient.peak"]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages, to work in, with the library ``humps`` of which one surrogate is wrong."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    # In this process: what is tested here is what becomes of its results.
    monkeypatch.setattr("surrogate_core.engine.where.available", lambda: False)
    (tmp_path / "humps_surrogates.py").write_text(LIBRARY)
    install(tmp_path, "1.0", " * 1.5")
    yield tmp_path
    libraries._added.cache_clear()
    forget("humps_surrogates")


def install(site: Path, version: str, scale: str) -> None:
    """What pip leaves behind of a version."""
    data = site / "humps.dist-info"
    data.mkdir(exist_ok=True)
    (data / "METADATA").write_text(f"Metadata-Version: 2.1\nName: humps\nVersion: {version}\n")
    (data / "entry_points.txt").write_text("[surrogate_core.libraries]\nhumps = humps_surrogates:LIBRARY\n")
    (site / "humps.py").write_text(HUMPS.replace("{scale}", scale))
    libraries._added.cache_clear()
    forget("humps")
    forget("humps_surrogates")


def forget(name: str) -> None:
    sys.modules.pop(name, None)
    for file in Path("__pycache__").glob(f"{name}.*"):
        file.unlink()


def run(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(sys, "argv", ["surrogate-core", *arguments])
    with pytest.raises(SystemExit) as left:
        cli.main()
    return int(left.value.code or 0)


def known(monkeypatch: pytest.MonkeyPatch) -> Path:
    """A deviations file that explains what is wrong with version 1."""
    assert run("survey", *PEAK, monkeypatch=monkeypatch) == 1
    assert run("deviations", "update", "survey.jsonl", "--file", "known.toml", monkeypatch=monkeypatch) == 0
    text = Path("known.toml").read_text()
    assert text.count("[[deviation]]") == 1
    explained = text.replace('reason = "TODO"', 'reason = "It is half as large again."\nversion = "<2"')
    Path("known.toml").write_text(explained)
    return Path("known.toml")


def test_a_survey_is_green_while_its_findings_are_known_and_red_as_soon_as_anything_changes(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = known(monkeypatch)
    again = [*PEAK, "--deviations", "known.toml"]

    def survey() -> tuple[int, str]:
        code = run("survey", *again, monkeypatch=monkeypatch)
        return code, capsys.readouterr().out

    code, said = survey()
    assert code == 0, said
    assert "1 defect in 1 implementation; 1 known and explained." in said

    install(site, "1.0", " * 1.6")
    code, said = survey()
    assert code == 1
    assert "fails differently than pinned" in said

    install(site, "1.1", "")
    code, said = survey()
    assert code == 1
    assert "the entry is no longer needed" in said

    install(site, "2.0", " * 1.5")
    code, said = survey()
    assert code == 1
    assert "is for the implementation <2, and this is 2.0" in said

    install(site, "1.0", " * 1.5")
    file.write_text(re.sub(r"x = 0 \(0x0+\)", "x = 1 (0x3f800000)", file.read_text()))
    code, said = survey()
    assert code == 1
    assert "the counterexample is x = 0" in said


def test_a_broken_entry_point_is_told_and_costs_no_other_library(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(libraries, "OURS", ())
    install(site, "2.0", "")
    assert run("survey", *PEAK[2:], monkeypatch=monkeypatch) == 0
    points = site / "humps.dist-info" / "entry_points.txt"
    points.write_text(f"{points.read_text()}dents = dents:LIBRARY\n")
    libraries._added.cache_clear()
    capsys.readouterr()
    # Nothing was judged of what it has, which is no pass.
    assert run("survey", *PEAK[2:], monkeypatch=monkeypatch) == 3
    said = capsys.readouterr().out
    assert "1 entry of the catalogue that cannot be used, or not in full:" in said
    assert "the entry point dents = dents:LIBRARY cannot be loaded: ModuleNotFoundError" in said
    assert "2 surrogates of 2 without a finding" in said
    assert {r.implementation for r in engine.read("survey.jsonl").results} == {"humps.slayer", "humps.atan"}
    assert "dents = dents:LIBRARY" in Path("survey.html").read_text()
    # Asked for what is here, it is not to do with it.
    assert run("survey", *PEAK, monkeypatch=monkeypatch) == 0


def test_an_entry_that_does_not_fit_the_installed_version_is_told_and_is_no_finding(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, "2.0", "")
    module = site / "humps.py"
    module.write_text(module.read_text().replace("def atan", "def arctan"))
    # Nothing is said against the library; but nothing was judged of what the entry names, which is no pass.
    assert run("survey", *PEAK, monkeypatch=monkeypatch) == 3
    said = capsys.readouterr().out
    assert (
        "the entry point humps = humps_surrogates:LIBRARY does not fit humps 2.0: target 'humps.atan': humps has no "
        "attribute 'atan': correct the entry, or install a version that it fits; the others that it names are judged"
    ) in said
    assert "1 surrogate of 1 without a finding. Nothing was found." in said
    assert "does not fit humps 2.0" in Path("survey.html").read_text()
    install(site, "1.0", " * 1.5")
    module.write_text(module.read_text().replace("def atan", "def arctan"))
    # A finding of another surrogate is one all the same.
    assert run("survey", *PEAK, monkeypatch=monkeypatch) == 1
    module.write_text(module.read_text().replace("def slayer", "def slope"))
    forget("humps")
    assert run("survey", *PEAK, monkeypatch=monkeypatch) == 3
    assert "nothing was judged" in capsys.readouterr().out


def test_a_version_that_lacks_it_is_noticed_in_a_worker_too(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(site)
    monkeypatch.setenv("PYTHONPATH", str(site), prepend=":")
    module = site / "humps.py"
    module.write_text(module.read_text().replace("def atan", "def arctan"))
    assert run("survey", *PEAK, monkeypatch=monkeypatch) == 1
    assert "1 defect in 1 implementation" in (said := capsys.readouterr().out)
    assert "humps has no attribute 'atan': correct the entry" in said


def test_a_check_of_what_an_entry_point_that_cannot_be_loaded_would_name_says_so(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (site / "humps_surrogates.py").write_text("1 / 0")
    libraries._added.cache_clear()
    assert run("check", "humps.slayer", monkeypatch=monkeypatch) == 2
    told = "the entry point humps = humps_surrogates:LIBRARY cannot be loaded: ZeroDivisionError: division by zero"
    assert told in capsys.readouterr().err


SLIPS = {
    "no spec": ('f"humps.{name}", spec,', 'f"humps.{name}", "no_such_spec",', "humps.slayer: spec 'no_such_spec'"),
    "given twice": ("humps.{name}", "humps.same", "humps.same is there twice"),
    "no field": (", name)", ', name, variant=(("at_treshold", 0),))', "humps.slayer: a variant of 'at_treshold'"),
    "no parameter": (", name)", ', name, keywords=(("alhpa", "alpha"),))', "humps.slayer: a keyword of 'alhpa'"),
    "no framework": ('"jax"', '"numpy"', "humps.slayer: framework 'numpy'"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_slip_in_an_entry_costs_no_other_library(
    slip: str, site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(libraries, "OURS", (libraries.own.LIBRARY,))
    before, after, told = SLIPS[slip]
    (site / "humps_surrogates.py").write_text(LIBRARY.replace(before, after))
    install(site, "2.0", "")
    assert run("survey", *PEAK[2:], monkeypatch=monkeypatch) == 3
    said = capsys.readouterr().out
    assert f"the entry point humps = humps_surrogates:LIBRARY cannot be used: {told}" in said
    assert {r.implementation for r in engine.read("survey.jsonl").results} == {"surrogate_core.SlayerGrad"}
    assert run("list", "implementations", monkeypatch=monkeypatch) == 0
    assert told in capsys.readouterr().err


def test_a_library_within_a_package_that_is_not_there_is_missing(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(libraries, "OURS", (libraries.own.LIBRARY,))
    (site / "humps_surrogates.py").write_text(LIBRARY.replace('"humps", "humps", "humps"', '"humps", "no.humps", "hu"'))
    install(site, "2.0", "")
    assert run("survey", *PEAK[2:], monkeypatch=monkeypatch) == 0
    assert "humps: pip install hu" in capsys.readouterr().out
    assert run("list", "implementations", monkeypatch=monkeypatch) == 0
    assert "missing: pip install hu" in capsys.readouterr().out


def test_the_same_survey_finds_the_same(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for name in ("one.jsonl", "two.jsonl"):
        run("survey", *PEAK, "--results", name, monkeypatch=monkeypatch)
        found.append({r.id: r.outcome for r in engine.read(name).results})
    assert found[0] == found[1]


def test_a_property_that_not_every_surrogate_promises_gives_a_verdict_all_the_same(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    install(site, "1.0", "")
    # An arc tangent decays like no exponential.
    assert run("survey", *QUICK, "--property", "gradient.decay", monkeypatch=monkeypatch) == 0
    assert "2 surrogates of 2 without a finding" in capsys.readouterr().out
