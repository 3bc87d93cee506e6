"""One pytest item for each property that the surrogate promises."""

import surrogate_core
from smallsnn import FastSigmoid
from smallsnn.spec import FAST_SIGMOID

test_fast_sigmoid = surrogate_core.conformance_tests(
    FAST_SIGMOID, FastSigmoid, profile="quick", dtypes=["float32"]
)
