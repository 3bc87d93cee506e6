"""The floating-point formats a surrogate is judged in, and distances measured in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from jaxtyping import Float64

from surrogate_core.errors import BadInput, near_misses

__all__ = ["FORMATS", "Format", "get_format"]


EXPONENT = np.int64(0x7FF0_0000_0000_0000)
"""The bits of a float64's exponent."""


@dataclass(frozen=True)
class Format:
    """A binary floating-point format (IEEE 754-2019, section 3.3; bfloat16 alike).

    Attributes:
        name: the dtype's name in NumPy, JAX and PyTorch.
        precision: significant bits, the hidden one included.
        min_exponent: exponent of the smallest normal number.
        max_exponent: exponent of the largest finite number.
    """

    name: str
    precision: int
    min_exponent: int
    max_exponent: int

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype (ml_dtypes provides bfloat16)."""
        return np.dtype(ml_dtypes.bfloat16 if self.name == "bfloat16" else self.name)

    @property
    def bits_dtype(self) -> np.dtype[Any]:
        """The unsigned integer of the same width."""
        return np.dtype(f"uint{8 * self.dtype.itemsize}")

    @property
    def unit_roundoff(self) -> float:
        """Largest relative error of one rounding to nearest, u = 2^-precision."""
        return 2.0**-self.precision

    @property
    def smallest_normal(self) -> float:
        return 2.0**self.min_exponent

    @property
    def smallest_subnormal(self) -> float:
        return 2.0 ** (self.min_exponent - self.precision + 1)

    @property
    def largest(self) -> float:
        return (2.0 - 2.0 ** (1 - self.precision)) * 2.0**self.max_exponent

    def ulp(self, value: Float64[np.ndarray, ...]) -> Float64[np.ndarray, ...]:
        """Spacing of the format at each ``value``: 2^(e - precision + 1), and the subnormal step below.

        Goldberg, *What every computer scientist should know about floating-point arithmetic* (1991).
        """
        # The bits of the exponent alone are the power of two, in a quarter of the time that frexp and ldexp take.
        power = (np.asarray(value, np.float64).view(np.int64) & EXPONENT).view(np.float64)
        return np.clip(power, self.smallest_normal, 2.0**self.max_exponent) * 2.0 ** (1 - self.precision)

    def hex(self, value: Any) -> str:
        """The bit pattern of one ``value``, as ``0x3f80`` style digits."""
        width = 2 * self.dtype.itemsize
        return f"0x{int(np.asarray(value, self.dtype).reshape(()).view(self.bits_dtype)):0{width}x}"


FORMATS: dict[str, Format] = {
    fmt.name: fmt
    for fmt in (
        Format("float16", 11, -14, 15),
        Format("bfloat16", 8, -126, 127),
        Format("float32", 24, -126, 127),
        Format("float64", 53, -1022, 1023),
    )
}


def get_format(name: str) -> Format:
    """The format called ``name``; raises :class:`BadInput` with near misses where there is none."""
    if name not in FORMATS:
        raise BadInput(f"dtype {name!r}", f"one of {', '.join(FORMATS)}", near_misses(name, FORMATS))
    return FORMATS[name]
