from __future__ import annotations

import numpy as np
import pytest
from handmade import DTYPES, ask, bound, case, judge, passed

from surrogate_core.drivers.base import Observation
from surrogate_core.properties.cost import RESIDUALS


def kept(dtype: str, per_element: float, more: int = 0) -> dict[str, Observation]:
    request = bound(RESIDUALS, case(dtype))[0]["kept"]
    return {"kept": Observation(ask(request).value, np.array(request.x.size * per_element + more))}


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_array_and_a_few_scalars_are_enough(dtype: str) -> None:
    size = case(dtype).format.dtype.itemsize
    outcome = passed(judge(RESIDUALS, case(dtype), instead=kept(dtype, size, 64)))
    assert outcome.remarks == ()
    assert outcome.figures["per_input_byte"] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_mask_beside_the_array_is_told(dtype: str) -> None:
    size = case(dtype).format.dtype.itemsize
    (remark,) = passed(judge(RESIDUALS, case(dtype), instead=kept(dtype, size + 1))).remarks
    assert remark == (f"The forward pass keeps {size + 1} bytes for the backward pass, per element of {size} bytes.")


def test_nothing_kept_is_nothing_told() -> None:
    assert passed(judge(RESIDUALS, case(), instead=kept("float32", 0))).figures == {"per_input_byte": 0}
