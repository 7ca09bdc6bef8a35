from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.cli.progress import Lines, facts, fitted, worded
from runner.engine.run import RunSnapshot
from runner.manifest.reader import load
from runner.model import Budget
from tests.command import terminal
from tests.faults.service import FaultyService
from tests.kit import few_frames, write_manifest

BUDGET = Budget(max_cost=Decimal(40))


def snapshot(done=0, failed=0, statuses=None, spent="0", note="", total=58):
    return RunSnapshot(total, done, failed, 0, statuses or {}, Decimal(spent), note)


def test_the_facts_in_their_order():
    seen = snapshot(46, 1, {"queued": 3, "processing": 9, "strange": 1}, "13.5", "the service is busy")
    assert facts(seen, BUDGET) == (
        "9 processing · 3 queued · 1 strange · 1 failed · $13.50 of $40.00 · the service is busy"
    )
    assert facts(snapshot(spent="1"), Budget(currency="EUR")) == "€1.00"
    assert facts(snapshot(), BUDGET) == ""
    assert facts(replace(snapshot(), uncopied=1200), BUDGET) == "1,200 to copy to the mirror"
    assert facts(replace(seen, uncopied=1), BUDGET) == facts(seen, BUDGET), "it comes last"


def test_words_are_cut_between_facts():
    words = "9 processing · 3 queued · $13.50 of $40.00 · 04:10 left"
    assert fitted(words, 80) == words
    assert fitted(words, len(words)) == words
    assert fitted(words, 30) == "9 processing · 3 queued · …"
    assert fitted(words, 3) == "…"
    assert fitted(words, 0) == ""


def test_states_that_do_not_fit_become_one_number():
    seen = snapshot(40, 1, {"queued": 3, "processing": 9}, "13.5")
    assert worded(seen, BUDGET, "04:10 left", 80) == (
        "9 processing · 3 queued · 1 failed · $13.50 of $40.00 · 04:10 left"
    )
    assert worded(seen, BUDGET, "04:10 left", 60) == "12 in flight · 1 failed · $13.50 of $40.00 · 04:10 left"
    assert worded(seen, BUDGET, "04:10 left", 30) == "12 in flight · 1 failed · …"
    assert worded(snapshot(spent="13.5"), BUDGET, "", 10) == "…"


@given(
    st.lists(st.text(st.characters(codec="ascii", exclude_characters="·"), max_size=20), max_size=8),
    st.integers(0, 100),
)
def test_cut_words_fit(parts, room):
    words = " · ".join(parts)
    shown = fitted(words, room)
    assert len(shown) <= room
    assert shown == words or shown.endswith("…") or room == 0


def test_lines_are_said_at_the_start_and_then_now_and_then(tmp_path, capsys):
    lines = Lines(load(write_manifest(tmp_path, budget={"price_per_job": 1, "max_cost": 40})))
    lines(snapshot(2, 1, {"queued": 3}, "3"))
    for done in range(3, 20):
        lines(snapshot(done, 1))
    lines.close()
    assert capsys.readouterr().err == "3/58 · 3 queued · 1 failed · $3.00 of $40.00\n"


@pytest.mark.parametrize("columns", [80, 40, 20])
def test_the_bar_stays_on_its_line(tmp_path, columns):
    path = write_manifest(
        tmp_path,
        prompts=[{"id": "a", "text": "{{ s }}"}],
        matrix={"s": list(range(6))},
        budget={"price_per_job": 0.25, "max_cost": 40},
    )
    with FaultyService(few_frames(), first_status="queued") as service:
        words = ("run", path, "--base-url", service.base_url, "--yes", "--json")
        with terminal(*words, columns=columns, GMI_API_KEY="k-1") as screen:
            assert screen.ended() == 0
    drawn = [line for line in re.split(r"[\r\n]+", screen.seen.split("{\r\n")[0]) if re.search(r"\d+/6 ", line)]
    assert drawn
    assert max(len(line) for line in drawn) <= columns
    assert any("█" in line or " 0/6" in line for line in drawn)
    if columns == 80:
        assert any(re.search(r"\$\d\.\d\d of \$40\.00", line) for line in drawn)
        assert not any("…" in line for line in drawn), "the states become one number first"
    if columns == 40:
        assert any("…" in line for line in drawn), "what is left out leaves a sign"
