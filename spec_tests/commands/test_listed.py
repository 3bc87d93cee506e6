from __future__ import annotations

import pytest

from surrogate_core.commands.listed import listed


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["float16,float32"], ["float16", "float32"]),
        (["float16", "float32"], ["float16", "float32"]),
        (["float16, float32", "float64"], ["float16", "float32", "float64"]),
        (["float32", "float16,float32"], ["float32", "float16"]),
        ([""], []),
        ([], []),
        (None, []),
    ],
)
def test_names_are_those_of_every_time_the_option_was_given(given: list[str] | None, names: list[str]) -> None:
    assert listed(given) == names
