"""Sections that are values alone."""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.manifest import settings
from runner.manifest.schema.validation import validator
from runner.manifest.structure import schema
from runner.model import Budget, Matrix, Review, RunSettings, Sample, Uploads


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("30m", 1800),
        ("2h", 7200),
        ("1h30m", 5400),
        ("1h1m1s", 3661),
        ("0.5s", 0.5),
        (45, 45),
        (0, 0),
        (1.5, 1.5),
    ],
)
def test_seconds(text, seconds):
    assert settings.seconds(text) == seconds


def is_duration(text):
    try:
        return settings.seconds(text) >= 0
    except ValueError:
        return False


@given(st.from_regex(r"([0-9.]{1,3}h)?([0-9.]{1,3}m)?([0-9.]{1,3}s)?[ a-z]?", fullmatch=True))
def test_the_schema_and_the_code_agree_on_durations(text):
    assert is_duration(text) == validator(schema()["$defs"]["duration"]).is_valid(text)


@pytest.mark.parametrize("text", ["", "h", "30", "1m1h", "5 m", "1h ", "30m\n", "-5s"])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError, match="is no duration"):
        settings.seconds(text)


def test_defaults_are_those_of_the_schema():
    properties = {name: rules["properties"] for name, rules in schema()["$defs"].items() if name in ("run", "budget")}
    run, budget = settings.run({}), settings.budget({})
    assert run == RunSettings()
    assert budget == Budget()
    assert run.concurrency == properties["run"]["concurrency"]["default"]
    assert run.attempts == properties["run"]["attempts"]["default"]
    assert run.verify == properties["run"]["verify"]["default"]
    assert run.wait == settings.seconds(properties["run"]["wait"]["default"])
    assert run.settle == settings.seconds(properties["run"]["settle"]["default"])
    assert budget.max_jobs == properties["budget"]["max_jobs"]["default"]
    assert budget.currency == properties["budget"]["currency"]["default"]


def test_budget_counts_in_decimals():
    budget = settings.budget({"max_jobs": 5.0, "max_cost": 0.1, "price_per_second": 0.05, "currency": "EUR"})
    assert budget == Budget(5, Decimal("0.1"), None, Decimal("0.05"), "EUR")
    assert budget.price(10) == Decimal("0.5")


def test_matrix():
    matrix = settings.matrix(
        {
            "surface": ["rock", None, 1],
            "exclude": [{"surface": "rock"}],
            "include": [{"x": [1]}],
            "zip": [["surface", "camera"]],
            "camera": ["static"],
            "sample": {"count": 3},
        }
    )
    assert matrix == Matrix(
        {"surface": ("rock", None, 1), "camera": ("static",)},
        ({"x": [1]},),
        ({"surface": "rock"},),
        (("surface", "camera"),),
        Sample(3, 0),
    )
    assert list(matrix.axes) == ["surface", "camera"]
    assert settings.matrix({}) == Matrix({})


@pytest.mark.parametrize(
    ("lint", "codes"),
    [
        ({"ignore": ["W801", "W903"]}, {"W801", "W903"}),
        ({"ignore": []}, set()),
        ({}, set()),
        # What has an error is not ignored, and nothing can hide an error.
        ({"ignore": ["W801", 5, "E203", "w802"]}, {"W801"}),
        ({"ignore": "W801"}, set()),
        (None, set()),
    ],
)
def test_ignored_warnings(lint, codes):
    assert settings.ignored({"lint": lint}) == codes
    assert settings.ignored({}) == set()


def test_output_stands_beside_the_manifest(tmp_path):
    manifest = tmp_path.resolve() / "in" / "trail.shoes.yaml"
    output = settings.output({}, manifest)
    assert output.dir == manifest.parent / "outputs" / "trail.shoes"
    assert output.state == output.dir / "state.sqlite"
    assert output.file is None
    output = settings.output({"dir": "../out", "state": "/var/s.sqlite", "file": "{{ take }}"}, manifest)
    assert (output.dir, output.state, output.file) == (tmp_path.resolve() / "out", Path("/var/s.sqlite"), "{{ take }}")


@pytest.mark.parametrize(
    ("value", "written", "amount"),
    [
        (0.25, "0.25", "0.25"),
        (1e-9, "1.0e-9", "0.000000001"),
        (999_999_999.123_456_789, "999999999.123456789", "999999999.123456789"),
        (1000, "1_000", "1000"),
        (15, "017", "15"),
        (90, "1:30", "90"),
        (0.5, None, "0.5"),
    ],
)
def test_amounts_keep_their_digits(value, written, amount):
    assert settings.money(value, written) == Decimal(amount)
    assert settings.budget({"max_cost": value}, lambda key: written).max_cost == Decimal(amount)


@pytest.mark.parametrize(
    ("amount", "is_countable"), [("0.000000001", True), ("0.0000000010", True), ("0.0000000001", False), ("1E+6", True)]
)
def test_money_is_counted_in_billionths(amount, is_countable):
    assert settings.is_countable(Decimal(amount)) == is_countable


def test_settings_of_models():
    content = {"a": "a.json", "b": {"params": {"n": 1}, "images": "none"}, "c": None}
    found = settings.models(content)
    assert {name: (each.params, each.takes_images) for name, each in found.items()} == {
        "a": ({}, True),
        "b": ({"n": 1}, False),
        "c": ({}, True),
    }


def test_prices_of_models_go_before_that_of_the_budget():
    general = settings.budget({"price_per_job": 1, "currency": "EUR", "max_cost": 9})
    content = {"a": {"price_per_second": 0.1}, "b": {"price_per_job": 0.30000000000000001}, "c": {"images": "none"}}
    budget = settings.with_prices(general, content, lambda model, key: {"b": "0.300"}.get(model))
    assert [budget.of(name).price(5.0) for name in ("a", "b", "c", "d")] == list(map(Decimal, ("0.5", "0.3", "1", "1")))
    # A price of a second says nothing where the length is not known, whatever the general one is.
    assert budget.of("a").price(None) is None
    assert {each.currency for each in (budget, *budget.models.values())} == {"EUR"}
    assert (budget.max_cost, set(budget.models)) == (Decimal(9), {"a", "b"})


def test_consent_to_uploads():
    assert settings.uploads(None) is None
    assert settings.uploads({"to": "service"}) == Uploads("service", is_always=False)
    assert settings.uploads({"to": "service", "when": "always"}) == Uploads("service", is_always=True)


def test_what_reviewers_are_asked():
    assert settings.review({}) == Review()
    own = schema()["properties"]["review"]["properties"]
    assert {name: own[name]["default"] for name in own} == {
        "question": Review().question, "reasons": [], "margin": Review().margin, "picks": Review().picks,
    }  # fmt: skip
    whole = {"question": "Which would you run?", "reasons": ["flicker"], "margin": 2, "picks": "votes"}
    assert settings.review(whole) == Review("Which would you run?", ("flicker",), 2.0, "votes")


def test_how_many_retakes_a_cell_may_have():
    assert settings.most_retakes({}) == settings.most_retakes({"rejected": False, "most": 2}) == 0
    most = schema()["properties"]["retake"]["properties"]["most"]["default"]
    assert settings.most_retakes({"rejected": True}) == most == 3
    assert settings.most_retakes({"rejected": True, "most": 7}) == 7
