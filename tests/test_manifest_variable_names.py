"""Names of variables; Jinja2 is the measure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, StrictUndefined

from runner.manifest.schema.validation import validator
from runner.manifest.structure import schema
from runner.manifest.variable_names import is_variable, misnamed

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=4) | st.sampled_from(
    ["in", "not", "is", "self", "None", "true", "loop", "for", "größe", "a b", "9x", "_", "x\n", "a-b", "if"]
)
_JINJA = Environment(undefined=StrictUndefined, autoescape=False)


@given(NAMES.filter(is_variable))
def test_a_variable_can_be_used_in_a_template(name):
    assert _JINJA.from_string("{{ " + name + " }}").render({name: "value"}) == "value"


@given(NAMES.filter(is_variable))
def test_the_schema_lets_every_variable_through(name):
    # The pattern reaches to the end of the Basic Multilingual Plane, as editors' patterns do.
    assert validator(schema()["$defs"]["variableName"]).is_valid(name) or max(name) > "\uffff"


@pytest.mark.parametrize("name", ["in", "not", "self", "None", "a b", "9x", "a-b", "", "a.b"])
def test_the_schema_refuses_what_is_none(name):
    assert not is_variable(name)
    assert not validator(schema()["$defs"]["variableName"]).is_valid(name)


def test_names_are_checked_wherever_they_stand():
    manifest = {
        "vars": {"a\u00d7": 1, "größe": 1},
        "matrix": {"b\u00d7": [1], "include": [{"c\u00d7": 1}], "exclude": [{"ok": 1}, {"d\u00d7": 1}]},
        "images": [{"file": "x"}, {"vars": {"e\u00d7": 1}}],
    }
    assert [each.route for each in misnamed(manifest)] == [
        ("vars", "a\u00d7"),
        ("matrix", "b\u00d7"),
        ("matrix", "include", 0, "c\u00d7"),
        ("matrix", "exclude", 1, "d\u00d7"),
        ("images", 1, "vars", "e\u00d7"),
    ]
