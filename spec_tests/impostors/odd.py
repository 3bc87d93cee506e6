"""Things that a user may point at: factories in all but name, and factories whose attributes raise."""

import types as a_module
from typing import Any

from surrogate_core.slayer import SlayerGrad

__all__ = ["a_module"]


class NeedsMore:
    def __init__(self, alpha: float, beta: float) -> None: ...


class TakesNothing: ...


class Raises:
    def __init__(self, alpha: float) -> None:
        raise ValueError("not today")


class Properties:
    @property
    def make(self) -> None:
        raise ValueError("the property raises")

    def method(self, alpha: float) -> Any:
        return SlayerGrad(alpha)

    def __repr__(self) -> str:
        raise ValueError("the repr raises")


class Meta(type):
    def __getattr__(cls, name: str) -> None:
        raise RuntimeError("the class raises")


class WithMeta(metaclass=Meta): ...


class Unmade:
    """What it makes is a class, of which no instance is made."""

    def __init__(self, alpha: float) -> None: ...

    def __call__(self, x: Any) -> type:
        return Unmade


class Shy:
    """Right, and raises whatever it is asked for."""

    def __call__(self, alpha: float) -> Any:
        return SlayerGrad(alpha)

    def __getattribute__(self, name: str) -> Any:
        if name != "__class__":  # which isinstance asks for, everywhere
            raise ValueError(f"no {name}")
        return object.__getattribute__(self, name)


class Around:
    """Right, and says that it wraps itself."""

    @property
    def __wrapped__(self) -> Any:
        return self

    def __call__(self, alpha: float) -> Any:
        return SlayerGrad(alpha)


properties, shy, around = Properties(), Shy(), Around()


async def coroutine(alpha: float) -> Any:
    return SlayerGrad(alpha)


def generator(alpha: float) -> Any:
    yield SlayerGrad(alpha)


async def asynchronous_generator(alpha: float) -> Any:
    yield SlayerGrad(alpha)


def coroutine_spike(alpha: float) -> Any:
    async def spike(x: Any) -> Any:
        return SlayerGrad(alpha)(x)

    return spike


def generator_spike(alpha: float) -> Any:
    def spike(x: Any) -> Any:
        yield SlayerGrad(alpha)(x)

    return spike


def nothing(alpha: float) -> None: ...
