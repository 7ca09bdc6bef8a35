import pytest

from runner.cli.arguments import parser
from tests.command import call


@pytest.mark.parametrize("name", parser().commands)
def test_help_is_that_of_the_command(name):
    assert call("help", name) == call(name, "--help")


def test_help_alone_is_that_of_all():
    assert call("help") == call("--help")


@pytest.mark.parametrize(("word", "hint"), [("plann", "did you mean plan? "), ("xyzzy", "")])
def test_a_command_that_there_is_not(word, hint):
    ended = call("help", word)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == f"error: there is no command {word!r}\n  help: {hint}reelrun help lists all of them\n"


def test_one_that_does_not_follow_it_is_told_alike():
    assert "did you mean run?" in call("-v", "runn", "x.yaml").err
