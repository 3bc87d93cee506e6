"""What is known of a library's surrogate: where it is, which spec it declares, how parameters map."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Surrogate"]


@dataclass(frozen=True)
class Surrogate:
    """One surrogate of one library, as data: listing it imports nothing.

    Attributes:
        name: what a user types, ``library.Attribute``.
        spec: name of the spec that it declares.
        framework: ``jax`` or ``torch``.
        module: the module to import.
        attribute: the factory in it.
        distribution: the installed package whose version counts.
        extra: the pip extra of surrogate_core that brings it; empty for what is always there.
        keywords: (parameter of the spec, the factory's keyword for it) pairs.
    """

    name: str
    spec: str
    framework: str
    module: str
    attribute: str
    distribution: str
    extra: str
    keywords: tuple[tuple[str, str], ...]
