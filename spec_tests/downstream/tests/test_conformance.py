"""One pytest item for each property that the surrogate promises."""

from pathlib import Path

from smallsnn import FastSigmoid
from smallsnn.spec import FAST_SIGMOID

import surrogate_core

test_fast_sigmoid = surrogate_core.conformance_tests(
    FAST_SIGMOID,
    FastSigmoid,
    profile="quick",
    dtypes=["float32"],
    deviations=Path(__file__).parent.parent / "deviations.toml",
)
