"""What a surrogate is called, whichever library has it: by that name people look for it elsewhere.

A family is no spec: libraries give one name to different formulas, and different names to one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["family"]

SUFFIXES = ("grad", "fn", "function", "surrogate", "estimator")
"""Words at the end of a name that say what it is, and not which."""

CALLED: Mapping[str, tuple[str, ...]] = {
    "Arc tangent": ("arctan", "atan"),
    "Circle": ("heavicirc",),
    "Error function": ("erf", "heavierfc"),
    "Fast sigmoid (SuperSpike)": ("fastsigmoid", "superspike", "braintools.invsquare"),
    "Floor, straight through": ("floorpassthrough", "spikingjelly.floor", "sinabs.quantize"),
    "Gaussian": ("gaussian",),
    "Heaviside": ("heaviside",),
    "Hyperbolic tangent": ("tanh", "heavitanh"),
    "Leaky ReLU": ("leakyrelu", "leakykrelu"),
    "Leaky spike operator": ("leakyspikeoperator", "snntorch.lso"),
    "Log-tailed ReLU": ("logtailedrelu",),
    "Multi-Gaussian": ("multigaussian",),
    "Nonzero sign log": ("nonzerosignlog", "nonzerosignlogabs"),
    "Periodic exponential": ("periodicexponential",),
    "Piecewise exponential": ("piecewiseexp", "piecewiseexponential"),
    "Piecewise leaky ReLU": ("piecewiseleakyrelu",),
    "Piecewise quadratic": ("piecewisequadratic",),
    "q-pseudo-spike": ("qpseudospike",),
    "Rectangle": ("rect", "rectangle", "boxcar", "snnax.piecewise"),
    "Rounding, straight through": ("roundpassthrough", "spikingjelly.round"),
    "S2NN": ("s2nn",),
    "Sigmoid": ("sigmoid",),
    "SLAYER exponential": ("slayer",),
    "Soft sign": ("softsign",),
    "Sparse fast sigmoid": ("snntorch.sfs",),
    "Square wave's Fourier series": ("squarewavefourierseries",),
    "Step, piecewise linear": ("steppwl",),
    "Straight-through": ("straightthrough", "spikingjelly.deterministicpass", "spyx.custom"),
    "Triangle": ("triangle", "triangular", "braintools.relu"),
}
"""By family, the names that are it: in small letters, without suffixes; those of one library behind its name."""

TITLES = {name: title for title, names in CALLED.items() for name in names}


def family(name: str) -> str:
    """The family of the surrogate ``library.Attribute``: a title, or its words where the name is not known."""
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name.rpartition(".")[2])
    while len(words) > 1 and words[-1].lower() in SUFFIXES:
        words.pop()
    bare = "".join(words).lower()
    known = TITLES.get(f"{name.partition('.')[0]}.{bare}") or TITLES.get(bare)
    return known or " ".join(words).lower().capitalize() or name
