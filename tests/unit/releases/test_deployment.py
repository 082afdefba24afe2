"""Properties of the fold: any prefix of a history folds, and a replay changes nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from amends.errors import InvalidEventError, NotFoundError
from amends.releases.deployment import fold_deployment
from amends.releases.strategy import next_action

_WORDS = st.sampled_from(
    [
        ("gates", "pass"), ("gates", "undecided"), ("gates", "block"), ("steer", "approved"),
        ("steer", "paused"), ("steer", "resumed"), ("steer", "aborted"), ("actuate", "start"),
        ("actuate", "roll_back"), ("actuate", "promote"), ("intend", "shift"), ("intend", "roll_back"),
        ("fail", ""), ("refuse", ""), ("step", ""), ("conclude", "promote"), ("conclude", "extend"),
        ("conclude", "ask"), ("conclude", "roll_back"), ("look", "watching"), ("look", "roll_back"),
        ("finish", "promoted"), ("later", ""),
    ]
)  # fmt: skip


def tell(history: Any, word: str, value: str) -> None:
    """Add one event to a history, in whatever order the machine draws."""
    step = history.versions["step"] % 2 + 1
    intents = [f for f in history.facts if f.kind == "actuation.intended"]
    match word:
        case "later":
            history.later(15)
        case "step":
            history.versions["step"] += 1
            history.step(step, 10)
        case "look":
            history.versions["look"] += 1
            history.look(history.versions["look"], value, step)
        case "fail" | "refuse":
            if intents:
                history.outcome(intents[-1], "failed" if word == "fail" else "refused")
        case "conclude":
            history.conclude(step, value)
        case _:
            getattr(history, word)(value)


@given(words=st.lists(_WORDS, max_size=40))
@example(words=[("gates", "pass"), ("steer", "approved")])
@example(words=[("step", ""), ("step", ""), ("actuate", "start")])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_prefix_folds_decides_and_survives_a_replay(history: Any, words: list[tuple[str, str]]) -> None:
    told = type(history)()
    told.request()
    for word, value in words:
        tell(told, word, value)
    for end in range(1, len(told.facts) + 1):
        seen = told.facts[:end]
        state = fold_deployment(seen)
        assert next_action(state, told.now) is not None
        assert fold_deployment([*seen, *seen]) == state
        assert fold_deployment([f for f in seen for _ in range(2)]) == state


@given(words=st.lists(_WORDS, max_size=40))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_once_it_retreats_it_never_gives_traffic_again(history: Any, words: list[tuple[str, str]]) -> None:
    told = type(history)()
    told.into_first_step()
    told.look(1, "roll_back")
    told.versions["look"] = 1
    for word, value in words:
        tell(told, word, value)
        do = next_action(fold_deployment(told.facts), told.now, gates_fresh=True)
        assert getattr(do, "action", "roll_back") == "roll_back"


def test_facts_of_other_deployments_change_nothing(history: Any) -> None:
    history.into_first_step()
    before = fold_deployment(history.facts)
    history.finish("aborted", deployment="d2")
    assert fold_deployment(history.facts) == before


def test_without_a_request_there_is_no_deployment(history: Any) -> None:
    history.look(1)
    with pytest.raises(NotFoundError):
        fold_deployment(history.facts)


def test_a_course_that_cannot_be_read_is_named(history: Any) -> None:
    history.request(plan={"course": {"steps": "many"}})
    with pytest.raises(InvalidEventError, match="course"):
        fold_deployment(history.facts)
