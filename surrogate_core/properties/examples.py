"""Examples of a search as text, and back: what was found once can be judged again without searching.

A results file is not trusted. What an example may consist of is told by the property, never by the file: nothing in
the file is evaluated, and nothing in it names a type.
"""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

__all__ = ["LONGEST", "decode", "encode"]

LONGEST = 10_000
"""Characters of an example; shrunk ones take a few hundred."""


def encode(example: Any) -> str:
    """An example as JSON; empty where it is longer than :data:`LONGEST`.

    Args:
        example: numbers, words, lists and tuples of them, and frozen dataclasses of all these.
    """
    text = json.dumps(example, allow_nan=False, separators=(",", ":"), default=_fields)
    return text if len(text) <= LONGEST else ""


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def decode(kind: Any, text: str) -> Any:
    """The example of a type that was stored as ``text``.

    Args:
        kind: ``int``, ``float``, ``str``, ``bool``, a ``Literal`` of strings, lists and tuples of them, a dataclass.
        text: what :func:`encode` gave, or what somebody made of it.

    Raises:
        ValueError: the text is none of an example of this type.
    """
    if len(text) > LONGEST:
        raise ValueError(f"an example of {len(text):,} characters, more than {LONGEST:,}")
    try:
        return _decoded(kind, json.loads(text))
    except RecursionError:
        raise ValueError("an example that is nested too deeply") from None


def _decoded(kind: Any, value: Any) -> Any:
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind) and isinstance(kind, type):
        return _dataclass(kind, value)
    if origin is Literal:
        if isinstance(value, str) and value in inner:
            return value
    elif origin is list:
        if isinstance(value, list):
            return [_decoded(inner[0], item) for item in value]
    elif origin is tuple and inner[1:] == (...,):
        if isinstance(value, list):
            return tuple(_decoded(inner[0], item) for item in value)
    elif origin is tuple:
        if isinstance(value, list) and len(value) == len(inner):
            return tuple(map(_decoded, inner, value))
    elif kind is float:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    elif type(value) is kind:
        return value
    raise ValueError(f"{str(value)[:100]} where {kind} is expected")


def _dataclass(kind: type[Any], value: Any) -> Any:
    names = {field.name for field in fields(kind)}
    if not isinstance(value, dict) or value.keys() != names:
        raise ValueError(f"{str(value)[:100]} where {', '.join(sorted(names))} are expected")
    hints = get_type_hints(kind)
    return kind(**{name: _decoded(hints[name], item) for name, item in value.items()})
