from __future__ import annotations

import pytest
from jinja2.utils import missing
from runner.planning.template_environment import ENVIRONMENT
from runner.planning.template_faults import ExcessError
from runner.planning.template_scope import MAX_WORK


def test_names_are_looked_up_in_the_variables() -> None:
    scope = ENVIRONMENT.scope({"a": None})
    assert scope.resolve_or_missing("a") is None
    assert scope.resolve_or_missing("b") is missing


def test_the_allowance_is_spent_to_the_last() -> None:
    scope = ENVIRONMENT.scope({})
    scope.spend(MAX_WORK - 3)
    assert scope.read("a", None) == 2
    assert scope.made("b") == "b"
    with pytest.raises(ExcessError):
        scope.captured(1)


def test_every_render_has_an_allowance_of_its_own() -> None:
    ENVIRONMENT.scope({}).spend(MAX_WORK)
    assert ENVIRONMENT.scope({}).left == MAX_WORK


def test_items_are_counted_one_by_one() -> None:
    scope = ENVIRONMENT.scope({})
    items = scope.counted(iter("abc"), MAX_WORK // 2)
    assert [next(items), next(items)] == ["a", "b"]
    with pytest.raises(ExcessError):
        next(items)


def test_captured_text_is_counted() -> None:
    scope = ENVIRONMENT.scope({})
    assert scope.captured(12.5) == "12.5"
    assert scope.left == MAX_WORK - 4
