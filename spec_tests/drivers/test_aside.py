from __future__ import annotations

import threading

import pytest

from surrogate_core.drivers.aside import aside


def test_the_caller_goes_on_until_it_asks_for_the_result() -> None:
    may_go_on = threading.Event()
    result = aside(lambda: may_go_on.wait(60))
    may_go_on.set()
    assert result() is True
    assert result() is True


@pytest.mark.parametrize("raised", [ValueError, SystemExit])
def test_what_was_raised_is_raised_where_the_result_is_asked_for(raised: type[BaseException]) -> None:
    def fail() -> None:
        raise raised("no")

    result = aside(fail)
    with pytest.raises(raised, match="no"):
        result()
