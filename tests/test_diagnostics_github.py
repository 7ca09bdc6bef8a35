"""Workflow commands, read back as the runner of GitHub Actions reads them."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from runner.diagnostics.github import annotation
from runner.errors import Diagnostic, Position, Severity

HERE = Path("/checkout")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def diagnostic(message="it is wrong", hint="mend it", file="m.yaml", severity=Severity.ERROR, length=3):
    return Diagnostic("E204", severity, Position(file, 18, 13, length), message, hint)


def read(line):
    """Name, properties and message: split at the first `::`, at commas and at `=`, and only then unescaped."""
    assert line.startswith("::")
    head, _, message = line[2:].partition("::")
    name, _, properties = head.partition(" ")
    pairs = dict(each.split("=", 1) for each in properties.split(","))
    return name, {key: unescaped(value, ":,") for key, value in pairs.items()}, unescaped(message)


def unescaped(text, more=""):
    for character in ("\r", "\n", *more, "%"):
        text = text.replace(f"%{ord(character):02X}", character)
    return text


def test_the_standard():
    assert annotation(diagnostic(), HERE, HERE) == (
        "::error file=m.yaml,line=18,col=13,endColumn=15,title=E204::it is wrong%0Ahelp: mend it"
    )


def test_warnings_and_no_hint():
    assert annotation(diagnostic(hint="", severity=Severity.WARNING), HERE, HERE).startswith("::warning file=")
    assert annotation(diagnostic(hint=""), HERE, HERE).endswith("::it is wrong")


def test_files_are_named_from_the_checkout():
    for file, named in [("/checkout/a/b.yaml", "a/b.yaml"), ("./a.yaml", "a.yaml"), ("/tmp/a.yaml", "/tmp/a.yaml")]:
        assert read(annotation(diagnostic(file=file), HERE, HERE))[1]["file"] == named


def test_a_step_in_a_folder_names_files_from_the_checkout():
    for file, named in [("m.yaml", "videos/m.yaml"), ("../a.yaml", "a.yaml"), ("../../a.yaml", "../../a.yaml")]:
        assert read(annotation(diagnostic(file=file), HERE / "videos", HERE))[1]["file"] == named


def test_a_place_without_a_width_has_one_column():
    assert read(annotation(diagnostic(length=0), HERE, HERE))[1]["endColumn"] == "13"


def test_signs_of_commands_are_escaped():
    line = annotation(diagnostic("100%0A\r\n::error::x", file="a,b:c=100%.yaml"), HERE, HERE)
    assert line.count("::") == 2 + 2  # those of a message end nothing
    assert "\n" not in line
    assert "\r" not in line
    name, properties, message = read(line)
    assert (name, properties["file"], properties["title"]) == ("error", "a,b:c=100%.yaml", "E204")
    assert message == "100%0A\r\n::error::x\nhelp: mend it"


def test_a_file_name_cannot_say_anything_to_a_terminal():
    assert read(annotation(diagnostic(file="a\x1b[2Jb\n.yaml"), HERE, HERE))[1]["file"] == "a\\u001b[2Jb\\n.yaml"


@given(TEXT, TEXT)
def test_a_message_is_one_line_and_comes_back(message, hint):
    line = annotation(diagnostic(message, hint), HERE, HERE)
    assert "\n" not in line
    assert "\r" not in line
    assert read(line)[2] == (f"{message}\nhelp: {hint}" if hint else message)
