"""A results file survives whatever befalls the process, the disk, and the file itself."""

from __future__ import annotations

import io
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from engine.test_store import THREE, head
from rich.console import Console

from surrogate_core.engine import Writer, read
from surrogate_core.errors import BadInput
from surrogate_core.report import terminal
from surrogate_core.report.verdict import verdict

WRITES = """
import os, resource, signal, sys
sys.path.insert(0, {root!r})
from engine.test_store import THREE, head
from surrogate_core.engine import Writer
from surrogate_core.errors import BadInput
{before}
try:
    writer = Writer({path!r}, head(3))
    for result in THREE:
        writer.add(result)
        {each}
    writer.finish()
except BadInput as full:
    print(full)
"""


def written(path: Path, before: str = "", each: str = "pass") -> str:
    """What a process says that writes there."""
    program = WRITES.format(root=str(Path(__file__).parent.parent), path=str(path), before=before, each=each)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False).stdout


def test_a_second_run_on_one_path_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    first = Writer(path, head(3))
    first.add(THREE[0])
    with pytest.raises(BadInput, match="which another run is writing"):
        Writer(path, head(3))
    with pytest.raises(BadInput, match="which another run is writing"):
        Writer(path, head(3), THREE[:1])
    first.add(THREE[1])
    first.close()
    assert read(path).results == tuple(THREE[:2])
    Writer(path, head(3)).close()  # a lock goes with its run


def test_what_a_killed_run_has_written_is_read_and_its_lock_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    written(path, each="os.kill(os.getpid(), signal.SIGKILL)")
    run = read(path)
    assert run.results == tuple(THREE[:1])
    assert not run.complete
    Writer(path, run.header, run.results).close()


def test_results_that_are_told_anew_replace_the_file_whole_or_not_at_all(tmp_path: Path) -> None:
    path, other = tmp_path / "run.jsonl", [THREE[1], THREE[0]]
    (tmp_path / "link.jsonl").symlink_to(path)
    first = Writer(path, head(3))
    first.add(THREE[0])
    with pytest.raises(BadInput, match="which another run is writing"):
        Writer(path, head(3), other, anew=True)
    first.close()
    assert read(path).results == (THREE[0],)
    (tmp_path / "run.jsonl.draft").mkdir()  # no file can be written there
    with pytest.raises(BadInput, match="Is a directory"):
        Writer(path, head(3), other, anew=True)
    assert read(path).results == (THREE[0],)
    (tmp_path / "run.jsonl.draft").rmdir()
    second = Writer(tmp_path / "link.jsonl", head(3), other, anew=True)
    with pytest.raises(BadInput, match="which another run is writing"):
        Writer(path, head(3))
    second.add(THREE[2])
    second.finish()
    second.close()
    assert read(path).results == (*other, THREE[2])
    assert (tmp_path / "link.jsonl").is_symlink()
    assert not (tmp_path / "run.jsonl.draft").exists()


def written_to(path: str) -> None:
    writer = Writer(path, head(3))
    for result in THREE:
        writer.add(result)
    writer.finish()
    writer.close()


def test_a_pipe_gets_the_lines_of_a_file(tmp_path: Path) -> None:
    inside, outside = os.pipe()
    try:
        written_to(f"/dev/fd/{outside}")
    finally:
        os.close(outside)
    with os.fdopen(inside, "rb") as stream:
        (tmp_path / "run.jsonl").write_bytes(stream.read())
    assert read(tmp_path / "run.jsonl").results == tuple(THREE)
    written_to("/dev/null")


def test_a_pipe_that_nobody_reads_any_more_is_told() -> None:
    inside, outside = os.pipe()
    os.close(inside)
    with pytest.raises(BadInput, match=r"Broken pipe, after 0 bytes\n.*somebody who reads to the end"):
        written_to(f"/dev/fd/{outside}")
    os.close(outside)


PLACES = {
    "a folder": ("{folder}", "Is a directory"),
    "a device without room": ("/dev/full", "No space left on device"),
    "a folder that cannot be made": ("/proc/new/run.jsonl", "a path that can be written"),
    "a file in place of a folder": ("{folder}/file/run.jsonl", "a path that can be written"),
    "a dash": ("-", "where the report for people goes"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_place_where_nothing_can_be_written_is_told(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    path, said = PLACES[place]
    with pytest.raises(BadInput, match=said):
        written_to(path.format(folder=tmp_path))


def test_where_the_report_for_people_goes_no_result_is_written(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w") as out:
        program = WRITES.format(root=str(Path(__file__).parent.parent), path="/dev/stdout", before="", each="pass")
        subprocess.run([sys.executable, "-c", program], stdout=out, check=True)
    assert (tmp_path / "out").read_text().startswith("results file /dev/stdout, where the report for people goes\n")


@pytest.mark.parametrize("room", [0, 100, 1_000, 1_300])
def test_a_full_disk_leaves_whole_lines_and_says_so(tmp_path: Path, room: int) -> None:
    path = tmp_path / "run.jsonl"
    # A limit of the file's size ends a write as a full disk does: in the middle of a line.
    limit = (
        f"signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))"
    )
    said = written(path, before=limit)
    assert "File too large" in said
    content = path.read_bytes()
    assert len(content) <= room
    assert content[-1:] in (b"", b"\n")
    if content:
        assert not read(path).complete


def scenes(content: bytes, digits: list[int], colons: list[int], seed: int) -> bytes:
    """One way in which a file can be damaged, at one of its digits or colons or anywhere."""
    rng = random.Random(seed)
    start, stop = sorted(rng.choices(range(len(content) + 1), k=2))
    near = min(stop, start + rng.randrange(1, 12))
    lines = content.splitlines(keepends=True)
    number = rng.choice([b"1e999", b"-1", b"NaN", b"null", b"[]", b"{}", b'""', b"true", b"9" * 5_000, b"[" * 5_000])
    word = rng.choice([b"\x00", b"\xff\xfe", b"\\ud800", b"<script>", b"\x1b[2J", b"\xe2\x80\xae", b"x" * 100_000])
    at, colon = rng.choice(digits), rng.choice(colons)
    rng.shuffle(lines)
    return rng.choice(
        [
            content[:start],
            content[:start] + content[near:],
            content[:start] + bytes([rng.randrange(256)]) + content[start + 1 :],
            content[:start] + word + content[start:],
            content[:at] + number + content[at + 1 :],
            content[: colon + 2] + number + b", " + content[colon + 2 :],
            content[: colon + 2] + number + content[content.find(b",", colon) :],
            content[:near] + content[start:],
            b"".join(lines),
        ]
    )


def test_ten_thousand_damaged_files_are_refused_or_read_in_part(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "run.jsonl"
    writer = Writer(path, head(3))
    for result in THREE:
        writer.add(result)
    writer.finish(["a worker vanished"])
    writer.close()
    whole, refused, accepted = path.read_bytes(), 0, 0
    digits, colons = ([found.start() for found in re.finditer(what, whole)] for what in (rb"\d", rb": "))
    for number in range(10_000):
        path.unlink()  # a file that is overwritten is sent to the disk at once
        path.write_bytes(scenes(whole, digits, colons, seed + number))
        try:
            run = read(path)
        except BadInput:
            refused += 1
            continue
        accepted += 1
        assert run.exit_code in (0, 1, 3)
        for implementation in run.header["implementations"]:
            assert verdict(run, implementation["name"]).line
        if not number % 10:
            shown = io.StringIO()
            terminal.show(run, Console(file=shown, width=120))
            assert "\x1b" not in shown.getvalue()
    assert refused > 1_000
    assert accepted > 1_000
