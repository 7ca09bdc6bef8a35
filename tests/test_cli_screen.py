from __future__ import annotations

import io
import json
import sys
from decimal import Decimal

import pytest

from runner.cli import screen
from runner.errors import Diagnostic, Position, Severity
from tests.command import terminal
from tests.kit import write_manifest


@pytest.mark.parametrize(
    ("number", "noun", "told"),
    [(0, "job", "0 jobs"), (1, "job", "1 job"), (1234, "cell", "1,234 cells"), (2, "match", "2 matches")],
)
def test_count(number, noun, told):
    assert screen.count(number, noun) == told


def test_cost_document():
    assert screen.cost_document(None, "USD") is None
    assert screen.cost_document(Decimal("2.75"), "EUR") == {"total": 2.75, "currency": "EUR"}


def test_paths_are_shown_the_short_way(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert screen.shown_path(tmp_path / "a" / "b") == "a/b"
    assert screen.shown_path("/etc") == "/etc"


def test_messages_go_to_stderr_and_results_to_stdout(capsys):
    screen.say("a message")
    screen.show("a result")
    assert capsys.readouterr() == ("a result\n", "a message\n")


def test_a_message_that_nobody_can_read_stops_nothing(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    screen.say("anybody?")
    assert isinstance(sys.stderr, Gone)


def test_a_document_is_utf8_json(capsys):
    screen.document({"prompt": "Größe 😀"})
    out = capsys.readouterr().out
    assert json.loads(out) == {"prompt": "Größe 😀"}
    assert "Größe" in out


@pytest.mark.parametrize(
    ("severities", "told"),
    [
        ([], ""),
        ([Severity.WARNING], "1 warning."),
        ([Severity.ERROR], "1 error. Nothing was sent."),
        ([Severity.ERROR, Severity.ERROR, Severity.WARNING], "2 errors, 1 warning. Nothing was sent."),
    ],
)
def test_diagnostics_end_with_their_number(capsys, severities, told):
    position = Position("x.yaml", 3, 5, 4)
    screen.diagnostics(
        [Diagnostic("E204", each, position, "it is wrong", "mend it", "    word") for each in severities]
    )
    lines = capsys.readouterr().err.splitlines()
    assert (lines[-1] if lines else "") == told
    if severities:
        assert lines[0] == f"x.yaml:3:5: {severities[0]}[E204]: it is wrong"
        assert lines[2] == "      |     ^^^^"
        assert lines[3] == "   help: mend it"


def test_colour_is_for_terminals_that_want_it(tmp_path):
    path = write_manifest(tmp_path, params={"duration": 5})
    seen = {}
    for name, more in (("plain", {}), ("no colour", {"NO_COLOR": "1"}), ("dumb", {"TERM": "dumb"})):
        with terminal("plan", path, **more) as screen_of:
            assert screen_of.ended() == 2
            seen[name] = screen_of.seen
    assert "\x1b[1;31merror[E204]\x1b[0m" in seen["plain"]
    assert "\x1b[" not in seen["no colour"] + seen["dumb"]
    assert "error[E204]" in seen["no colour"]
