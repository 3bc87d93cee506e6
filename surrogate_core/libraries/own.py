"""surrogate_core's own SlayerGrad, the reference implementation."""

from __future__ import annotations

from surrogate_core.libraries.base import Documented, Library, Surrogate

__all__ = ["LIBRARY"]

LIBRARY = Library(
    name="surrogate_core",
    package="surrogate_core",
    distribution="surrogate_core",
    extra="",
    surrogates=(
        Surrogate(
            name="surrogate_core.SlayerGrad",
            spec="slayer",
            framework="jax",
            module="surrogate_core",
            attribute="SlayerGrad",
            documented=Documented("forward 1 for x >= 0, else 0; backward exp(-alpha*|x|)", "README, SlayerGrad"),
        ),
    ),
)
