"""The table of figures, on the screen and in the README."""

import pytest

from tests.bench.measure import Row
from tests.bench.table import markdown, with_unit, write_into

ROWS = [
    Row("plan 10 jobs", (3.0, 1.0, 2.0), 2.0, "x", "bare loop: 1 s"),
    Row("memory", (1234.5,), 1000, "MiB"),
]


def test_the_median_counts_and_a_missed_limit_is_shown():
    assert markdown(ROWS).splitlines()[2:] == [
        "| plan 10 jobs | 2.000 x | 2.000 x | ok | bare loop: 1 s |",
        "| memory | 1,234 MiB | 1,000 MiB | missed |  |",
    ]


@pytest.mark.parametrize(
    ("figure", "unit", "told"),
    [(0.5, "s", "0.500 s"), (12.345, "x", "12.3 x"), (80, "", "80"), (99.6, "MiB", "100 MiB")],
)
def test_a_figure_has_as_many_digits_as_it_deserves(figure, unit, told):
    assert with_unit(figure, unit) == told


def test_the_readme_gets_the_table_between_its_marks_and_stays_as_it_is_around_them(tmp_path):
    path = tmp_path / "README.md"
    marks = ("<!-- benchmarks: written by python -m tests.bench --write -->", "<!-- end of benchmarks -->")
    path.write_text(f"before\n{marks[0]}\nold\n{marks[1]}\nafter\n", encoding="utf-8")
    for _ in range(2):
        write_into(path, ROWS)
        assert path.read_text(encoding="utf-8") == f"before\n{marks[0]}\n{markdown(ROWS)}{marks[1]}\nafter\n"


def test_a_readme_without_marks_is_left_alone(tmp_path):
    path = tmp_path / "README.md"
    path.write_text("words\n", encoding="utf-8")
    with pytest.raises(ValueError, match="no marks"):
        write_into(path, ROWS)
    assert path.read_text(encoding="utf-8") == "words\n"
