"""braintools: surrogates of the BrainX ecosystem, in JAX. They fire at the threshold (``>=``)."""

from __future__ import annotations

from surrogate_core.libraries.base import Documented, Hazard, Library, Surrogate

__all__ = ["LIBRARY"]

LIBRARY = Library(
    name="braintools",
    package="braintools",
    distribution="braintools",
    extra="braintools",
    surrogates=(
        Surrogate(
            name="braintools.SlayerGrad",
            spec="slayer",
            framework="jax",
            module="braintools.surrogate",
            attribute="SlayerGrad",
            documented=Documented("g'(x) = exp(-alpha|x|)", "docstring of braintools.surrogate.SlayerGrad"),
        ),
    ),
    hazards=(
        Hazard(
            "importing braintools (through brainstate) switches jax_enable_x64 off for the whole process; "
            "float64 is judged within a scope that is entered after the import"
        ),
    ),
)
