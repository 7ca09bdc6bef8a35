"""`explain`: every code of the catalogue, in words."""

import pytest

from runner.cli.main import main
from runner.diagnostics.codes import CODES


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_told_with_an_example(capsys, code):
    assert main(["explain", code.lower()]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"{code}: {CODES[code].title}\n\n")
    assert all(line.startswith("    ") for line in out.split("\n\n", 2)[2].splitlines() if line.strip())


def test_without_a_code_all_are_listed(capsys):
    assert main(["explain"]) == 0
    assert [line[:4] for line in capsys.readouterr().out.splitlines()] == list(CODES)


def test_a_code_that_is_none(capsys):
    assert main(["explain", "E2O4"]) == 2
    told = capsys.readouterr().err
    assert "there is no code 'E2O4'" in told
    assert "did you mean E204?" in told
