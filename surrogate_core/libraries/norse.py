"""Norse, in PyTorch: silent at the threshold (``>``), as its Heaviside step documents.

It documents the smooth step h that a surrogate stands for, and prints no gradient. Those of its code have the shape of
h's derivative, and another scale: 2/k times it, and for the circle 2*alpha times it, which makes the peak 1. What is
printed as the derivative is promised, as in snnTorch's atan, whose dS/dU its code contradicts; a step that is printed
as an "approximation of the heaviside step function", and of which nothing says that its derivative is meant, promises
the shape. That the scale is another is a difference, and no defect.
"""

from __future__ import annotations

from typing import Any

from surrogate_core.libraries.base import Documented, Excluded, Hazard, Library, Surrogate

__all__ = ["LIBRARY"]

THRESHOLD = "norse.torch.functional.threshold"


def superspike_fn(alpha: float) -> object:
    """SuperSpike of a width."""
    from norse.torch.functional.threshold import superspike_fn

    return lambda x: superspike_fn(x, alpha)


def heavi_erfc_fn(k: float) -> object:
    """The error function of a width."""
    from norse.torch.functional.threshold import heavi_erfc_fn

    return lambda x: heavi_erfc_fn(x, k)


def heavi_tanh_fn(k: float) -> object:
    """The hyperbolic tangent of a width."""
    from norse.torch.functional.threshold import heavi_tanh_fn

    return lambda x: heavi_tanh_fn(x, k)


def heavi_circ_fn(alpha: float) -> object:
    """The circle of a width; the function calls it k, its documentation alpha."""
    from norse.torch.functional.threshold import heavi_circ_fn

    return lambda x: heavi_circ_fn(x, alpha)


def triangle_fn(alpha: float) -> object:
    """The triangle of a height."""
    from norse.torch.functional.threshold import triangle_fn

    return lambda x: triangle_fn(x, alpha)


def public() -> list[str]:
    """Every function of the threshold module, wherever it is defined."""
    import inspect

    from norse.torch.functional import threshold

    return [f"{THRESHOLD}:{name}" for name, found in vars(threshold).items() if inspect.isfunction(found)]


def _surrogate(attribute: str, spec: str, adapter: Any, documented: Documented, **fields: Any) -> Surrogate:
    return Surrogate(
        name=f"norse.{attribute}",
        spec=spec,
        framework="torch",
        module=THRESHOLD,
        attribute=attribute,
        adapter=adapter,
        documented=documented,
        variant=(("at_threshold", 0),),
        **fields,
    )


LIBRARY = Library(
    name="norse",
    package="norse",
    distribution="norse",
    extra="norse",
    surrogates=(
        _surrogate(
            "superspike_fn",
            "fast_sigmoid",
            superspike_fn,
            Documented(
                "SuperSpike surrogate gradient as described in Section 3.3.2 of Zenke & Ganguli: (1 + |h|)^-2 with "
                "h = beta*(U - threshold); section 3.3.2 (beta -> alpha)",
                "docstring and source of norse.torch.functional.superspike.SuperSpike",
            ),
            defaults=(("alpha", 100.0),),
        ),
        _surrogate(
            "heavi_erfc_fn",
            "error_function",
            heavi_erfc_fn,
            Documented(
                "Approximation of the heaviside step function as h(x,k) = 1/2 + 1/2 erfc(k x) (erfc falls: erf is "
                "meant); no gradient is printed: its code's has the shape of h's derivative, 2/k times as high",
                "docstring of norse.torch.functional.threshold.HeaviErfc",
            ),
            keywords=(("alpha", "k"),),
        ),
        _surrogate(
            "heavi_tanh_fn",
            "tanh",
            heavi_tanh_fn,
            Documented(
                "Approximation of the heaviside step function as h(x,k) = 1/2 + 1/2 tanh(k x); no gradient is printed: "
                "its code's has the shape of h's derivative, 2/k times as high",
                "docstring of norse.torch.functional.threshold.HeaviTanh",
            ),
            keywords=(("alpha", "k"),),
        ),
        _surrogate(
            "heavi_circ_fn",
            "circle",
            heavi_circ_fn,
            Documented(
                "Approximation of the heaviside step function as h(x,alpha) = 1/2 + 1/2 x/(x^2 + alpha^2)^(1/2); no "
                "gradient is printed: its code's has the shape of h's derivative, 2 alpha times as high",
                "docstring of norse.torch.functional.threshold.HeaviCirc",
            ),
        ),
        _surrogate(
            "triangle_fn",
            "damped_triangle",
            triangle_fn,
            Documented(
                "Triangular/piecewise linear surrogate gradient as in Esser et al., 2016, and Bellec et al., 2020",
                "docstring of norse.torch.functional.threshold.Triangle",
            ),
        ),
    ),
    excluded=(
        Excluded(f"{THRESHOLD}:heaviside", "the plain step: it has no gradient, and promises none"),
        Excluded(f"{THRESHOLD}:super_fn", "superspike_fn under the name of its module", f"{THRESHOLD}:superspike_fn"),
        Excluded(f"{THRESHOLD}:logistic_fn", "fires at random: no forward value can be promised"),
        Excluded(f"{THRESHOLD}:circ_dist_fn", "fires at random: no forward value can be promised"),
        Excluded(f"{THRESHOLD}:threshold", "calls one of the others, by name"),
        Excluded(f"{THRESHOLD}:sign", "twice one of the others, by name, minus 1"),
    ),
    accepted=(
        *(
            Excluded(f"norse.torch.functional.{place}", f"the autograd function behind {function}, judged there")
            for place, function in (
                ("threshold:HeaviErfc", "heavi_erfc_fn"),
                ("threshold:HeaviTanh", "heavi_tanh_fn"),
                ("threshold:HeaviCirc", "heavi_circ_fn"),
                ("threshold:Triangle", "triangle_fn"),
                ("superspike:SuperSpike", "superspike_fn"),
            )
        ),
        Excluded(f"{THRESHOLD}:Logistic", "fires at random: no forward value can be promised"),
        Excluded(f"{THRESHOLD}:CircDist", "fires at random: no forward value can be promised"),
        Excluded("norse.torch.functional.adjoint", "a neuron's whole step, differentiated by its adjoint equations"),
        Excluded("norse.torch.functional.spikes_to_times_decoder", "the times of spikes, no spike function"),
    ),
    uncovered=(
        "the scale of the gradients of heavi_erfc_fn, heavi_tanh_fn and heavi_circ_fn, which is not that of the "
        "derivative of the step h that their documentation prints: 2/k, and 2 alpha, times as high",
    ),
    hazards=(Hazard("importing norse uses torch.jit.script, which PyTorch deprecates with a warning"),),
    public=public,
    preload=True,
)
