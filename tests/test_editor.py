"""What an editor makes of a manifest: the server of the VS Code YAML extension, driven over its protocol.

It is npm's yaml-language-server; REELRUN_YAML_LANGUAGE_SERVER names its program, which Node runs.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from runner.shipped import shipped
from tests.command import call
from tests.language_server import ERROR, language_server

PROGRAM, NODE = os.environ.get("REELRUN_YAML_LANGUAGE_SERVER"), shutil.which("node")
pytestmark = pytest.mark.skipif(not (PROGRAM and NODE), reason="needs Node and the yaml-language-server")

SHIPPED = sorted(shipped("manifests").glob("*.yaml"))
VALID = sorted((Path(__file__).parent / "examples" / "valid").glob("*.yaml"))
MODELINE = "# yaml-language-server: $schema={}\n"
HEAD = MODELINE.format(".reelrun/manifest.schema.json")
# The least that is whole.
LEAST = """\
version: 1
model: Kling-Image2Video-V1.6-Standard
images:
  - {file: a.jpg}
prompts:
  - {id: a, text: b}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """What `reelrun init` makes."""
    folder = tmp_path_factory.mktemp("editor") / "demo"
    assert call("init", folder).code == 0
    return folder


@pytest.fixture(scope="module")
def server(project):
    with language_server(NODE, PROGRAM, project) as running:
        yield running


@pytest.fixture
def problems(server, project):
    """What the server says of a text under the modeline of `init`: line (from 1), severity and words."""

    def found(text):
        path = project / "edited.yaml"
        told = server.open(path, HEAD + text)
        server.close(path)
        return [(each["range"]["start"]["line"], each["severity"], each["message"]) for each in told]

    return found


@pytest.fixture
def completions(server, project):
    """What the server offers at the end of a text: what is inserted, by label."""

    def offered(text):
        path = project / "edited.yaml"
        whole = HEAD + text
        server.open(path, whole)
        items = server.complete(path, whole.count("\n"), len(whole) - whole.rfind("\n") - 1)
        server.close(path)
        return {each["label"]: plain(each["insertText"]) for each in items}

    return offered


def plain(snippet):
    """What stands there once a snippet is inserted: without its stops, with the texts that they hold."""
    return re.sub(r"\$\d+|\$\{\d+:((?:\\.|[^}])*)\}", r"\1", snippet).replace("\\}", "}")


# Sound manifests


def test_what_init_writes_is_sound(server, project):
    path = project / "campaign.yaml"
    assert path.read_text(encoding="utf-8").startswith(HEAD)
    assert server.open(path) == []
    server.close(path)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_manifests_are_sound(server, path):
    assert server.open(path) == []
    server.close(path)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.stem)
def test_what_we_take_an_editor_takes(server, path):
    schema = shipped("schemas") / "manifest.schema.json"
    found = server.open(path, MODELINE.format(schema.as_uri()) + path.read_text(encoding="utf-8-sig"))
    server.close(path)
    assert [each for each in found if each["severity"] == ERROR] == []


def test_the_least(problems):
    assert problems(LEAST) == []


# What is wrong


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("takess: 2", "Property takess is not allowed."),
        ("takes: two", 'Incorrect type. Expected "integer".'),
        ("takes: 0", "Value is below the minimum of 1."),
        ("run: {wait: soon}", "write 90s, 30m, 2h or 1h30m, or a number of seconds without quotes"),
        ("run: {verify: off}", 'Value is not accepted. Valid values: "decode", "header".'),
        ("budget: 5", 'Incorrect type. Expected "Budget".'),
        ("budget: {price_per_job: 1, price_per_second: 2}", "Matches a schema that is not allowed."),
        (
            "matrix: {wet rock: [1]}",
            "use letters, digits and _, no digit first, and no word of Jinja such as not or in",
        ),
        ("matrix: {surface: rock}", "Incorrect type. Expected one of array, object."),
        ("lint: {ignore: [E204]}", "only warnings can be ignored; reelrun explain lists them"),
    ],
)
def test_a_wrong_line_is_told_at_its_place(problems, line, said):
    assert problems(f"{LEAST}name: x\n{line}\nvars: {{}}\n") == [(LEAST.count("\n") + 2, ERROR, said)]


@pytest.mark.parametrize(
    ("right", "wrong", "line", "said"),
    [
        ("version: 1", "version: 2", 1, "the one version of the format is 1"),
        ("model: Kling-Image2Video-V1.6-Standard", "model: []", 2, "Array has too few items. Expected 1 or more."),
        ("{file: a.jpg}", "{id: a}", 4, 'Missing property "file".'),
        ("{file: a.jpg}", "{base64: YQ==}", 4, "Object is missing property id required by property base64."),
        ("{file: a.jpg}", "{glob: a, id: b}", 4, "Matches a schema that is not allowed."),
        ("{file: a.jpg}", "{file: a, url: b}", 4, "Matches multiple schemas when only one must validate."),
        ("{id: a, text: b}", "{text: b}", 6, "Object is missing property id required by property text."),
        ("{id: a, text: b}", "{id: a}", 6, 'Missing property "text".'),
        ("model: Kling-Image2Video-V1.6-Standard\n", "", 1, 'Missing property "model".'),
    ],
)
def test_a_wrong_part_is_told_at_its_place(problems, right, wrong, line, said):
    assert right in LEAST
    assert problems(LEAST.replace(right, wrong)) == [(line, ERROR, said)]


@pytest.mark.parametrize("entry", ["images:\n  - ", "prompts:\n  - ", "budget:", "matrix:", "run:"])
def test_what_is_just_begun_has_a_wrong_type_and_nothing_else(problems, entry):
    section = entry.split(":")[0]
    kept = "".join(line for line in LEAST.splitlines(keepends=True) if not re.match(rf"{section}|  - ", line))
    rest = {"images": "prompts:\n  - {id: a, text: b}\n", "prompts": "images:\n  - {file: a}\n"}
    kept = re.sub(r"(images|prompts):\n", "", kept) + rest.get(section, "".join(rest.values()))
    assert {said.split(".")[0] for _, _, said in problems(f"{kept}{entry}\n")} == {"Incorrect type"}


# Completion


def test_the_keys_of_a_manifest_are_offered(completions):
    offered = completions("")
    keys = {"version", "name", "model", "images", "prompts", "vars", "matrix", "params", "takes", "budget", "run"}
    assert keys | {"output", "models"} <= set(offered)
    assert offered["version"] == "version: 1"
    assert offered["model"] == "model: ", "a list of one model would be an axis"
    assert offered["images"] == "images:\n  - "


def test_a_manifest_is_offered_as_a_whole(completions):
    assert completions("")["New manifest"] == "version: 1\nmodel: \nimages:\n  - file: \nprompts:\n  - id: \n    text: "


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("images:\n  - ", {"file", "glob", "url", "table", "base64", "id", "vars"}),
        ("images:\n  - file: a.jpg\n    ", {"id", "vars"}),
        ("prompts:\n  - ", {"id", "text", "file", "params"}),
        ("matrix:\n  ", {"exclude", "include", "zip", "sample", "variable"}),
        ("params:\n  ", {"negative_prompt", "duration", "cfg_scale", "parameter"}),
        ("budget:\n  ", {"max_jobs", "max_cost", "price_per_job", "price_per_second", "currency"}),
        ("run:\n  ", {"concurrency", "attempts", "wait", "settle", "verify"}),
        ("output:\n  ", {"dir", "file", "state"}),
        ("lint:\n  ", {"ignore"}),
    ],
)
def test_the_keys_of_a_part_are_offered(completions, text, keys):
    assert keys <= set(completions(text))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("run:\n  verify: ", {"decode", "header"}),
        ("model: ", {"Kling-Image2Video-V1.6-Standard"}),
        ("model:\n  - ", {"Kling-Image2Video-V1.6-Pro"}),
        ("params:\n  duration: ", {'"5"', '"10"'}),
        ("params:\n  cfg_scale: ", {"0.5", '"{{ cfg }}"'}),
        ("budget:\n  currency: ", {"USD", "EUR"}),
        ("lint:\n  ignore:\n    - ", {"W801", "W901"}),
    ],
)
def test_values_are_offered_as_they_have_to_be_written(completions, text, values):
    assert values <= set(completions(text).values())


def test_lists_of_the_matrix_are_begun_with_an_entry(completions):
    offered = completions("matrix:\n  ")
    assert offered["exclude"].rstrip("\n") == "exclude:\n  - "
    assert offered["include"].rstrip("\n") == "include:\n  - "
    assert offered["zip"] == "zip:\n  - "


# Hover


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("images:", "The pictures that become videos"),
        ("table:", "A table, one picture a row: CSV with commas"),
        ("exclude:", "Combinations to leave out: all that have these values."),
        ("shot:", "A variable and the values that it takes; or a file with a value a line"),
        ("duration:", "Seconds of video, as text in quotes"),
        ("max_cost:", "The most that all submissions may cost together"),
        ("concurrency:", "The most jobs that are unfinished at the service at one time."),
        ("dir:", "The folder of the videos, the index and the state."),
    ],
)
def test_a_key_is_explained(server, project, word, said):
    path = project / "campaign.yaml"
    lines = path.read_text(encoding="utf-8").splitlines()
    line, column = next((n, text.index(word)) for n, text in enumerate(lines) if word in text.split("#")[0])
    server.open(path)
    told = server.hover(path, line, column + 1)
    server.close(path)
    assert said in told
    assert "Example:" in told
