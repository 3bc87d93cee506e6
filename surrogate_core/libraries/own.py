"""surrogate_core's own SlayerGrad, the reference implementation."""

from __future__ import annotations

from surrogate_core.libraries.base import Surrogate

__all__ = ["SURROGATES"]

SURROGATES = (
    Surrogate(
        name="surrogate_core.SlayerGrad",
        spec="slayer",
        framework="jax",
        module="surrogate_core",
        attribute="SlayerGrad",
        distribution="surrogate_core",
        extra="",
        keywords=(("alpha", "alpha"),),
    ),
)
