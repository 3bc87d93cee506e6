"""braintools: surrogates of the BrainX ecosystem, in JAX, each as a class and as a function of the same name.

Every docstring says "forward: 1 for x >= 0, 0 for x < 0", and prints the backward formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from surrogate_core.libraries.base import Documented, Excluded, Hazard, Library, Surrogate

__all__ = ["BRAINSTATE", "LIBRARY"]

Pairs = tuple[tuple[str, str], ...]
Values = tuple[tuple[str, float], ...]


class _Row(NamedTuple):
    """A class, its function, the spec, the formula as its docstring prints it, and where names or defaults differ."""

    made: str
    function: str
    spec: str
    formula: str
    defaults: Values = ()
    keywords: Pairs = ()
    fixed: tuple[tuple[str, float], ...] = ()


_ROWS = (
    _Row("Sigmoid", "sigmoid", "sigmoid", "alpha (1 - sigma(alpha x)) sigma(alpha x)"),
    _Row(
        "PiecewiseQuadratic",
        "piecewise_quadratic",
        "piecewise_quadratic",
        "0 for |x| > 1/alpha, -alpha^2 |x| + alpha for |x| <= 1/alpha",
    ),
    _Row("PiecewiseExp", "piecewise_exp", "piecewise_exponential", "alpha/2 e^(-alpha |x|)"),
    _Row("SoftSign", "soft_sign", "soft_sign", "alpha / (2 (1 + |alpha x|)^2)", (("alpha", 1.0),)),
    _Row("Arctan", "arctan", "arctan", "alpha / (2 (1 + (pi/2 alpha x)^2))", (("alpha", 1.0),)),
    _Row("NonzeroSignLog", "nonzero_sign_log", "nonzero_sign_log", "alpha / (1 + |alpha x|)"),
    _Row("ERF", "erf", "erf", "alpha / sqrt(pi) e^(-alpha^2 x^2)"),
    _Row(
        "PiecewiseLeakyRelu",
        "piecewise_leaky_relu",
        "doubled_piecewise_leaky_relu",
        "1/w for |x| <= w, c for |x| > w (of an original function whose slope there is printed as 1/(2w))",
    ),
    _Row(
        "SquarewaveFourierSeries",
        "squarewave_fourier_series",
        "squarewave_fourier_series",
        "sum over i = 1..n of 4 cos((2i - 1) 2 pi x / T) / T",
        keywords=(("period", "t_period"),),
        fixed=(("n", 2),),
    ),
    _Row(
        "S2NN",
        "s2nn",
        "s2nn",
        "alpha (1 - sigmoid(alpha x)) sigmoid(alpha x) for x < 0, beta / (x + 1) for x >= 0",
        # Documented, 1e-8 by default, and of its smooth function alone, which jumps by as much at the threshold.
        fixed=(("epsilon", 0.0),),
    ),
    _Row("QPseudoSpike", "q_pseudo_spike", "wide_q_pseudo_spike", "(1 + 2|x| / (alpha + 1))^(-alpha)"),
    _Row("LeakyRelu", "leaky_relu", "leaky_relu", "beta for x >= 0, alpha for x < 0"),
    _Row(
        "LogTailedRelu",
        "log_tailed_relu",
        "log_tailed_relu",
        "alpha for x <= 0, 1 for 0 < x <= 1, 1/x for x > 1",
        (("alpha", 0.0),),
    ),
    _Row("ReluGrad", "relu_grad", "triangle", "max(0, alpha (width - |x|))"),
    _Row("GaussianGrad", "gaussian_grad", "gaussian", "alpha / (sigma sqrt(2 pi)) exp(-x^2 / (2 sigma^2))"),
    _Row(
        "MultiGaussianGrad",
        "multi_gaussian_grad",
        "multi_gaussian",
        "scale ((1 + h) N(x; 0, sigma^2) - h N(x; sigma, (s sigma)^2) - h N(x; -sigma, (s sigma)^2))",
    ),
    _Row("InvSquareGrad", "inv_square_grad", "fast_sigmoid", "1 / (alpha |x| + 1)^2", (("alpha", 100.0),)),
    _Row("SlayerGrad", "slayer_grad", "slayer", "exp(-alpha |x|)"),
)


def _surrogates() -> Iterator[Surrogate]:
    for row in _ROWS:
        promise = f"1 for x >= 0, 0 for x < 0; g'(x) = {row.formula}"
        where = f"docstring of braintools.surrogate.{row.made}"
        for attribute in (row.made, row.function):
            yield Surrogate(
                name=f"braintools.{attribute}",
                spec=row.spec,
                framework="jax",
                module="braintools.surrogate",
                attribute=attribute,
                keywords=row.keywords,
                documented=Documented(promise, where),
                defaults=row.defaults,
                fixed=row.fixed,
                function=attribute == row.function,
            )


def _public() -> Iterable[str]:
    import braintools.surrogate

    return [f"braintools.surrogate:{name}" for name in braintools.surrogate.__all__]


BRAINSTATE = Hazard(
    "importing it (through brainstate) switches jax_enable_x64 off for the whole process; "
    "float64 is judged within a scope that is entered after the import"
)

LIBRARY = Library(
    name="braintools",
    package="braintools",
    distribution="braintools",
    extra="braintools",
    surrogates=tuple(_surrogates()),
    excluded=(Excluded("braintools.surrogate:Surrogate", "the abstract base class, which has no gradient of its own"),),
    bases=("Surrogate",),
    uncovered=(
        "S2NN's smooth function at epsilon = 1e-8, its default, which makes it jump by that at the threshold; it is "
        "judged at 0, and no gradient depends on it",
        "SquarewaveFourierSeries of other numbers of terms than n = 2, its default",
    ),
    hazards=(BRAINSTATE,),
    public=_public,
    preload=True,
)
