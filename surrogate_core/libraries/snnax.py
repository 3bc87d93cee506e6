"""snnax: factories of spike functions in JAX. Version 0.0.1 cannot be imported."""

from __future__ import annotations

from collections.abc import Iterable

from surrogate_core.libraries.base import Documented, Hazard, Library, Surrogate

__all__ = ["LIBRARY"]

_PAPER = "Zenke & Vogels, The Remarkable Robustness of Surrogate Gradient Learning, Neural Computation 33, 2021"

_FIRES = "forward 'the heaviside function', in its source jnp.heaviside(x, 1.), which fires at the threshold (>=)"


def _surrogate(attribute: str, spec: str, parameter: str, promise: str, default: float) -> Surrogate:
    return Surrogate(
        name=f"snnax.{attribute}",
        spec=spec,
        framework="jax",
        module="snnax.functional.surrogate",
        attribute=attribute,
        keywords=((parameter, "beta"),),
        documented=Documented(
            f"{promise}; {_FIRES}",
            f"docstring and source of snnax.functional.surrogate.{attribute}; the former refers to {_PAPER}",
        ),
        defaults=((parameter, default),),
    )


def _public() -> Iterable[str]:
    # The package cannot be imported, but its functions can be read.
    import ast
    import importlib.util
    from pathlib import Path

    found = importlib.util.find_spec("snnax")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("No module named 'snnax'", name="snnax")
    tree = ast.parse((Path(found.origin).parent / "functional" / "surrogate.py").read_text())
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]
    return [f"snnax.functional.surrogate:{name}" for name in names]


LIBRARY = Library(
    name="snnax",
    package="snnax",
    distribution="snnax",
    extra="snnax",
    surrogates=(
        _surrogate(
            "superspike_surrogate",
            "fast_sigmoid",
            "alpha",
            "the superspike surrogate as described in the paper, there 1/(1 + beta*|x|)^2",
            10.0,
        ),
        _surrogate(
            "sigmoid_surrogate",
            "sigmoid_by_argument",
            "alpha",
            "the sigmoidal surrogate as described in the paper, there s(x)*(1 - s(x)) with s(x) = 1/(1 + exp(-beta*x))",
            1.0,
        ),
        _surrogate(
            "piecewise_surrogate",
            "unit_window",
            "beta",
            "'the sigmoidal surrogate' in its docstring, by mistake; in its source 1 where -beta < x < beta, else 0",
            0.5,
        ),
    ),
    hazards=(
        Hazard(
            "importing snnax 0.0.1 fails: snnax/snn/__init__.py imports the module 'init', which the package does not "
            "contain (Python calls it a circular import)"
        ),
    ),
    public=_public,
)
