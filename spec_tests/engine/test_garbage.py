from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from surrogate_core.engine import garbage
from surrogate_core.engine.garbage import earlier_objects_spared


@pytest.fixture(autouse=True)
def nothing_set_aside() -> Iterator[None]:
    gc.unfreeze()
    yield
    gc.unfreeze()


class Loop:
    """Something that nothing but the collector frees."""

    gone: list[str]

    def __init__(self, name: str, gone: list[str]) -> None:
        self.name, self.gone, self.itself = name, gone, self

    def __del__(self) -> None:
        self.gone.append(self.name)


def test_what_was_there_before_is_left_alone_until_the_end_and_what_came_later_is_collected() -> None:
    gone: list[str] = []
    Loop("before", gone)
    with earlier_objects_spared():
        Loop("within", gone)
        gc.collect()
        assert gone == ["within"]
    gc.collect()
    assert gone == ["within", "before"]


def test_they_are_looked_at_again_when_something_was_raised_within() -> None:
    with pytest.raises(ZeroDivisionError), earlier_objects_spared():
        raise ZeroDivisionError
    assert gc.get_freeze_count() == 0


def test_what_somebody_else_has_set_aside_stays_there() -> None:
    gc.freeze()
    aside = gc.get_freeze_count()
    with earlier_objects_spared():
        assert gc.get_freeze_count() <= aside
    assert gc.get_freeze_count() > aside / 2


def test_what_was_set_aside_for_good_is_not_counted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_for_good", False)
    garbage.set_aside()
    monkeypatch.setattr(gc, "get_freeze_count", lambda: pytest.fail("a million objects were counted"))
    frozen: list[None] = []
    monkeypatch.setattr(gc, "freeze", lambda: frozen.append(None))
    with earlier_objects_spared():
        pass
    assert frozen == []
