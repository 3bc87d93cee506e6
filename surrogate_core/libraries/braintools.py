"""braintools: surrogates of the BrainX ecosystem, in JAX. It fires at the threshold (``>=``)."""

from __future__ import annotations

from surrogate_core.libraries.base import Surrogate

__all__ = ["SURROGATES"]

SURROGATES = (
    Surrogate(
        name="braintools.SlayerGrad",
        spec="slayer",
        framework="jax",
        module="braintools.surrogate",
        attribute="SlayerGrad",
        distribution="braintools",
        extra="braintools",
        keywords=(("alpha", "alpha"),),
    ),
)
