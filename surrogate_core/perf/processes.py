"""Fresh processes, one at a time, and what they answer."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import surrogate_core
from surrogate_core.errors import BadInput
from surrogate_core.perf.job import PROTOCOL

__all__ = ["Died", "answers", "probe"]

START = "import sys; sys.path.append({root!r}); from surrogate_core.perf.worker import main; main()"
"""How this interpreter's processes find this very package, installed or not."""

START_THERE = "from surrogate_core.perf.worker import main; main()"
"""Another interpreter has a package of its own."""


class Died(Exception):
    """A measuring process ended before it was done; the message ends with the last that it wrote."""


def answers(what: str, asked: Mapping[str, Any], interpreter: str = "") -> Iterator[dict[str, Any]]:
    """Start a process, ask it, and hand out its answers as they come.

    Args:
        what: ``probe``, ``freeze`` or ``measure``.
        asked: the rest of the job, as JSON values.
        interpreter: another Python than this one.

    Raises:
        BadInput: the process refused the job, or the interpreter cannot be used.
        Died: it ended before it was done.
    """
    root = str(Path(surrogate_core.__file__).parent.parent)
    start = START_THERE if interpreter else START.format(root=root)
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        # -P: a package in the working folder must not stand in for the one that is installed there.
        command = [interpreter, "-P", "-c", start] if interpreter else [sys.executable, "-c", start]
        process = _started(command, stderr, interpreter)
        assert process.stdin is not None
        assert process.stdout is not None
        finished = False
        try:
            with process.stdin:
                process.stdin.write(
                    json.dumps({"protocol": PROTOCOL, "what": what, "other": bool(interpreter), **asked})
                )
            for line in process.stdout:
                answer = json.loads(line)
                if answer["kind"] == "done":
                    finished = True
                elif answer["kind"] == "refused":
                    raise BadInput(answer["given"], answer["expected"], answer["next_step"])
                elif answer["kind"] == "protocol":
                    raise _unusable(interpreter, f"its surrogate_core measures by protocol {answer['protocol']}")
                else:
                    yield answer
        except BrokenPipeError:
            pass  # it ended before it had read its job; why is in what it wrote
        finally:
            if process.poll() is None and not finished:
                process.kill()
            process.stdout.close()
            process.wait()
        if finished:
            return
        stderr.seek(0)
        last = stderr.read()[-4000:]
    if interpreter and "No module named" in last and "surrogate_core" in last.rpartition("No module named")[2]:
        raise _unusable(interpreter, "it has no surrogate_core that can measure")
    raise Died(f"the measuring process ended with exit code {process.returncode}:\n{last}")


def _started(command: list[str], stderr: Any, interpreter: str) -> subprocess.Popen[str]:
    try:
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr, text=True)
    except OSError as error:
        given = f"--against-python {interpreter}: {error.strerror}"
        raise BadInput(given, "a Python interpreter that can be started", "check the path") from None


def _unusable(interpreter: str, why: str) -> BadInput:
    return BadInput(
        f"--against-python {interpreter}: {why}",
        f"a Python that has surrogate_core {surrogate_core.__version__} beside the other version of the target",
        f"{interpreter} -m pip install surrogate_core=={surrogate_core.__version__}",
    )


def probe(asked: Mapping[str, Any], interpreter: str = "") -> dict[str, Any]:
    """What a process finds out about targets, devices and machine."""
    try:
        (answer,) = answers("probe", asked, interpreter)
    except Died as died:
        given = f"--against-python {interpreter}: {died}" if interpreter else str(died)
        wanted = "a Python in which the target can be imported" if interpreter else "targets that can be imported"
        raise BadInput(given, wanted, "mend the error above") from None
    return answer
