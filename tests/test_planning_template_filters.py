from __future__ import annotations

import pytest
from runner.planning.template_filters import FILTERS, TESTS

from runner.model import Json
from runner.planning.templates import TemplateFault, compile_template

VARIABLES: dict[str, Json] = {
    "text": "Wet rock, wet ROCK",
    "words": ["b", "A", "c", "a"],
    "numbers": [3, 1, 2.5, 1.0],
    "people": [
        {"name": "Zoe", "city": {"id": "b"}, "age": 5},
        {"name": "Al", "city": {"id": "a"}, "age": 5},
        {"name": "Bo", "city": {"id": "C"}},
    ],
    "map": {"b": 2, "A": 3},
}

FILTER_EXAMPLES: list[tuple[str, Json]] = [
    ("-3 | abs", 3),
    ("text | capitalize", "Wet rock, wet rock"),
    ("'a' | center(5)", "  a  "),
    ("words | count", 4),
    ("x | d('y')", "y"),
    ("x | default('y')", "y"),
    ("'' | default('y')", ""),
    ("'' | default('y', true)", "y"),
    ("map | dictsort", [["A", 3], ["b", 2]]),
    ("map | dictsort(true, 'value', reverse=true)", [["A", 3], ["b", 2]]),
    ("words | first", "b"),
    ("map | first", "b"),
    ("[] | first | default('none')", "none"),
    ("'2.50' | float", 2.5),
    ("'x' | float(1.5)", 1.5),
    ("'%s-%03d' | format('a', 7)", "a-007"),
    ("'%(x)s' | format(x=1)", "1"),
    ("'a\nb' | indent(2)", "a\n  b"),
    ("'a\nb' | indent('> ', first=true)", "> a\n> b"),
    ("'7' | int", 7),
    ("'ff' | int(base=16)", 255),
    ("'x' | int(3)", 3),
    ("map | items", [["b", 2], ["A", 3]]),
    ("words | join(', ')", "b, A, c, a"),
    ("people | join('/', attribute='name')", "Zoe/Al/Bo"),
    ("words | last", "a"),
    ("[] | last | default('none')", "none"),
    ("text | length", 18),
    ("'abc' | list", ["a", "b", "c"]),
    ("text | lower", "wet rock, wet rock"),
    ("words | map('upper') | map('lower')", ["b", "a", "c", "a"]),
    ("['a-b'] | map('replace', '-', '+')", ["a+b"]),
    ("people | map(attribute='city.id')", ["b", "a", "C"]),
    ("people | map(attribute='age', default=0)", [5, 5, 0]),
    ("['ab', 'cd'] | map(attribute='1')", ["b", "d"]),
    ("numbers | max", 3),
    ("people | max(attribute='name')", {"name": "Zoe", "city": {"id": "b"}, "age": 5}),
    ("words | min", "A"),
    ("words | min(case_sensitive=true)", "A"),
    ("[1, 2, 3] | reject('odd')", [2]),
    ("people | rejectattr('age', 'defined') | map(attribute='name')", ["Bo"]),
    ("text | replace('wet', 'dry')", "Wet rock, dry ROCK"),
    ("'aaa' | replace('a', 'b', 2)", "bba"),
    ("'abc' | reverse", "cba"),
    ("words | reverse", ["a", "c", "A", "b"]),
    ("2.345 | round(2)", 2.35),
    ("2.1 | round(method='ceil')", 3.0),
    ("['', 'a', none] | select", ["a"]),
    ("numbers | select('gt', 1)", [3, 2.5]),
    ("people | selectattr('age', 'defined') | map(attribute='name')", ["Zoe", "Al"]),
    ("people[:2] | selectattr('age') | length", 2),
    ("text | slug", "wet-rock-wet-rock"),
    ("0.3 | slug", "0.3"),
    ("words | sort", ["A", "a", "b", "c"]),
    ("words | sort(true, true)", ["c", "b", "a", "A"]),
    ("people | sort(attribute='city.id') | map(attribute='name')", ["Al", "Zoe", "Bo"]),
    ("2.50 | string", "2.5"),
    ("numbers | sum", 7.5),
    ("people[:2] | sum(attribute='age', start=1)", 11),
    ("'slow push-in' | title", "Slow Push-In"),
    ("map | tojson", '{"b": 2, "A": 3}'),
    ("'é<' | tojson", '"é<"'),
    ("'  a ' | trim", "a"),
    ("'--a' | trim('-')", "a"),
    ("text | truncate(12)", "Wet..."),
    ("text | truncate(10, true, '')", "Wet rock, "),
    ("words | unique", ["b", "A", "c"]),
    ("[1, 1.0, '1', true] | unique | map('tojson')", ["1", '"1"', "true"]),
    ("[[1], [1]] | unique", [[1]]),
    ("people[:2] | unique(attribute='age') | length", 1),
    ("text | upper", "WET ROCK, WET ROCK"),
    ("text | wordcount", 4),
]

TEST_EXAMPLES: list[tuple[str, bool]] = [
    ("true is boolean", True),
    ("1 is boolean", False),
    ("text is defined", True),
    ("x is defined", False),
    ("9 is divisibleby 3", True),
    ("1 is eq 1.0", True),
    ("'1' is equalto 1", False),
    ("1 is == 1", True),
    ("4 is even", True),
    ("false is false", True),
    ("0 is false", False),
    ("1.0 is float", True),
    ("1 is ge 1", True),
    ("2 is gt 1", True),
    ("2 is greaterthan 3", False),
    ("'b' is in words", True),
    ("1 is integer", True),
    ("true is integer", False),
    ("words is iterable", True),
    ("1 is iterable", False),
    ("1 is le 0", False),
    ("1 is lessthan 2", True),
    ("'a' is lower", True),
    ("1 is lt 2", True),
    ("map is mapping", True),
    ("1 is ne 1", False),
    ("none is none", True),
    ("2.5 is number", True),
    ("3 is odd", True),
    ("words is sequence", True),
    ("text is string", True),
    ("true is true", True),
    ("1 is true", False),
    ("x is undefined", True),
    ("'A' is upper", True),
]
SIGNS = {"==", "!=", "<", "<=", ">", ">="}


def value(expression: str) -> Json:
    return compile_template(f"{{{{ {expression} }}}}").value(VARIABLES)


@pytest.mark.parametrize(("expression", "expected"), FILTER_EXAMPLES)
def test_filters(expression: str, expected: Json) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(("expression", "expected"), TEST_EXAMPLES)
def test_tests(expression: str, expected: bool) -> None:
    if " is ==" in expression:
        expression = "[1] | select('==', 1) == [1]"
    assert value(expression) is expected


def test_every_filter_and_test_has_an_example() -> None:
    filters = " ".join(expression for expression, _ in FILTER_EXAMPLES)
    tests = " ".join(expression for expression, _ in TEST_EXAMPLES)
    assert [name for name in FILTERS if f"| {name}" not in filters] == []
    assert [name for name in TESTS if f"is {name}" not in tests and name not in SIGNS] == []


@pytest.mark.parametrize("sign", sorted(SIGNS))
def test_signs_are_tests_by_name(sign: str) -> None:
    assert value(f"[1, 2, 3] | select('{sign}', 2)") == [each for each in (1, 2, 3) if eval(f"{each} {sign} 2")]


@pytest.mark.parametrize(
    ("expression", "code", "message"),
    [
        ("text | abs", "E313", "a number is needed, not text"),
        ("1 | join", "E313", "a number has no items"),
        ("words | items", "E313", "a list has no keys"),
        ("map | dictsort(by='x')", "E313", "'key' or 'value'"),
        ("1 | round(1, 'up')", "E313", "round goes by"),
        ("1 | round(999)", "E314", "so many digits"),
        ("words | map('uper')", "E313", "there is no filter 'uper'"),
        ("words | select('ood')", "E313", "there is no test 'ood'"),
        ("words | selectattr", "E313", "the name of an attribute is needed"),
        ("people | sort(attribute='age')", "E311", "has no 'age'"),
        ("people | map(attribute='age')", "E311", "has no 'age'"),
        ("[1, 'a'] | sort", "E313", "not supported between"),
        ("[] | first", "E313", "the list has no first item"),
        ("[] | max", "E313", "the list has no first item"),
        ("text is divisibleby 3", "E313", "a number is needed"),
        ("'x' | truncate(1)", "E313", "expected length"),
        ("1 is in 2", "E313", "a number contains nothing"),
    ],
)
def test_what_does_not_fit_is_a_fault(expression: str, code: str, message: str) -> None:
    with pytest.raises(TemplateFault) as caught:
        value(expression)
    assert caught.value.problem.code == code
    assert message in caught.value.problem.message
