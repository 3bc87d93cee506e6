"""The stored samples: results of a small check that conforms, and of the README's slip: ``make samples``."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import surrogate_core

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "reports/sample"
SLIP = re.compile(r"<!-- file: (\S+) -->\n```python\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def main() -> None:
    """Check in a folder of its own, whose name is left out of what is stored."""
    ((file, source),) = SLIP.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path(file).write_text(source, encoding="utf-8")
        store("check", ["surrogate_core:SlayerGrad", "braintools.SlayerGrad"], params={"alpha": [0.7, 2.0]})
        store("broken", [f"{file}:make"])


def store(name: str, targets: list[str], params: dict[str, list[float]] | None = None) -> None:
    """Check ``targets``, and store the results without a path of this machine."""
    surrogate_core.check(targets, profile="quick", dtypes=["float32"], params=params, results="stored.jsonl")
    text = Path("stored.jsonl").read_text(encoding="utf-8")
    for folder in (str(Path.cwd()), str(ROOT)):
        text = text.replace(f"{folder}/", "").replace(folder, ".")
    # What is installed lies elsewhere on every machine.
    text = re.sub(r'"/[^"]*/site-packages/', '"site-packages/', text)
    (SAMPLES / f"{name}.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
