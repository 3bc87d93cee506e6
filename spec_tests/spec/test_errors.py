from __future__ import annotations

import pickle

from surrogate_core.errors import BadInput, near_misses


def test_bad_input_says_what_was_given_expected_and_next() -> None:
    assert str(BadInput("dtype 'int8'", "a float", "convert it")) == (
        "dtype 'int8'\n  expected: a float\n  next: convert it"
    )


def test_bad_input_survives_a_trip_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(BadInput("a", "b", "c")))
    assert (error.given, error.expected, error.next_step) == ("a", "b", "c")


def test_near_misses_ignore_case_and_name_at_most_three() -> None:
    assert near_misses("SLAYR", ["slayer", "arctan"]) == "did you mean slayer?"
    assert near_misses("gradient", [f"gradient{i}" for i in range(9)]).count(" or ") == 2


def test_near_misses_list_everything_where_nothing_is_near() -> None:
    assert near_misses("zzz", ["b", "a"]) == "known: a, b"
    assert near_misses("zzz", []) == "there is nothing of that kind to choose from"
