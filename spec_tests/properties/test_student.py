from __future__ import annotations

import pytest
from scipy import special

from surrogate_core.properties.student import quantile


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 5, 6, 7, 10, 31, 126, 127, 1000, 1001])
@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_the_quantiles_are_those_of_scipy(freedom: int, share: float) -> None:
    assert quantile(freedom, share) == pytest.approx(special.stdtrit(freedom, (1 + share) / 2), rel=1e-11)
