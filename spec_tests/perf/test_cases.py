from __future__ import annotations

import pytest

from surrogate_core.errors import BadInput
from surrogate_core.perf.cases import LARGE, SIZES, benchmarks, select

BOTH = {"jax": ["cpu:0"], "torch": ["cpu:0"]}


def test_every_benchmark_has_a_name_of_its_own() -> None:
    names = [b.id for b in benchmarks(BOTH, large=True)]
    assert len(names) == len(set(names))
    assert "forward+backward/compiled/2^20/bfloat16/cpu:0" in names
    assert "torch/lif/eager/1024/float32/cpu:0" in names


def test_what_is_promised_is_there() -> None:
    found = {(b.workload.task, b.workload.mode, b.workload.size) for b in benchmarks({"jax": ["cpu:0"]})}
    for task in ("forward", "forward+backward"):
        for mode in ("eager", "compiled"):
            assert {(task, mode, size) for size in SIZES} <= found
    assert ("lif", "compiled", 1 << 20) in found


def test_every_format_is_timed_and_all_of_it_where_it_is_asked_for() -> None:
    assert {b.workload.dtype for b in benchmarks(BOTH)} == {"float16", "bfloat16", "float32", "float64"}
    half = benchmarks(BOTH, dtypes=["float16"])
    assert {b.workload.dtype for b in half} == {"float16"}
    assert len(half) == len([b for b in benchmarks(BOTH) if b.workload.dtype == "float32"])


def test_large_adds_2_to_the_24_and_every_device_its_own() -> None:
    assert not [b for b in benchmarks(BOTH) if b.workload.size == LARGE]
    assert [b for b in benchmarks(BOTH, large=True) if b.workload.size == LARGE]
    assert {b.device for b in benchmarks({"jax": ["cpu:0", "gpu:0"]})} == {"cpu:0", "gpu:0"}


def test_globs_choose_and_an_idle_one_is_refused() -> None:
    known = benchmarks(BOTH)
    assert {b.workload.task for b in select(known, ["lif/*"])} == {"lif"}
    assert select(known, []) == known
    with pytest.raises(BadInput, match="did you mean"):
        select(known, ["lif/compiled/1024/float32/cpu:1"])


def test_time_comes_first_in_a_scan() -> None:
    (lif,) = [b for b in benchmarks({"jax": ["cpu:0"]}) if b.workload.task == "lif" and b.workload.size == 1024]
    assert lif.workload.shape == (32, 32)
