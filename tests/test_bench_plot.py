"""The plot of figures."""

import re

from tests.bench.measure import Row
from tests.bench.plot import draw

ROWS = [
    Row("plan 10 jobs", (1.0,), 2.0, "x"),
    Row("run up to its first call, beyond plan", (-81.5,), 2.0, "s"),
    Row("memory", (9000.0,), 1000, "MiB"),
]


def test_every_row_has_its_name_and_its_figure_within_the_plot(tmp_path):
    draw(ROWS, tmp_path / "one.svg")
    told = (tmp_path / "one.svg").read_text(encoding="utf-8")
    width = float(re.search(r'viewBox="0 0 ([0-9.]+)', told)[1])
    for words in (*(row.measure for row in ROWS), "1.000 x of 2.000 x", "of 2.000 s", "9,000 MiB of 1,000 MiB"):
        found = re.search(rf'x="(-?[0-9.]+)"[^>]*>[^<]*{re.escape(words)}', told)
        assert found is not None, words
        assert 0 <= float(found[1]) <= width, words


def test_equal_rows_make_equal_bytes(tmp_path):
    for name in ("one.svg", "other.svg"):
        draw(ROWS, tmp_path / name)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "other.svg").read_bytes()
