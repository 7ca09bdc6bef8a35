"""Manifests from beginning to end."""

import hashlib
import os
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.diagnostics.report import text
from runner.errors import ManifestError, Position, Severity, Stage
from runner.manifest.reader import load, read
from runner.model import Budget, Input, InputKind, Matrix, RunSettings
from tests.kit import MODEL, picture_bytes, write_manifest

SMALL = f"""\
version: 1
model: {MODEL}
images: [{{url: "https://example.com/shoe.jpg"}}]
prompts: [{{id: plain, text: x}}]
"""


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(content, name="m.yaml"):
        path = Path(name)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def diagnose(reading):
    return [(each.code, each.position.line, each.position.column) for each in reading.diagnostics]


def test_what_is_left_out_has_its_default(write, tmp_path):
    manifest = load(write(SMALL, "trail.shoes.yaml"))
    here = tmp_path.resolve()
    assert manifest.path == here / "trail.shoes.yaml"
    assert manifest.name == "trail.shoes"
    assert (manifest.models, manifest.axis_of_models) == ((MODEL,), False)
    assert (manifest.constants, manifest.params, manifest.takes) == ({}, {}, 1)
    assert (manifest.matrix, manifest.budget, manifest.run) == (Matrix({}), Budget(), RunSettings())
    assert manifest.output.dir == here / "outputs" / "trail.shoes"
    assert manifest.output.state == manifest.output.dir / "state.sqlite"
    assert list(manifest.schemas) == [MODEL]


def test_models(write):
    manifest = load(write(SMALL.replace(MODEL, f"[{MODEL}, Kling-Image2Video-V2-Master]")))
    assert manifest.models == (MODEL, "Kling-Image2Video-V2-Master")
    assert manifest.axis_of_models
    manifest = load(write(SMALL.replace(MODEL, f"[{MODEL}]")))
    assert (manifest.models, manifest.axis_of_models) == ((MODEL,), True)


def test_a_model_of_one_s_own(write):
    write('{"properties": {"image": {"x-image": {"minSide": 64}}}}', "own.json")
    manifest = load(write(SMALL.replace(MODEL, "own") + "models: {own: own.json}\n"))
    assert manifest.schemas["own"].properties == {"image": {"x-image": {"minSide": 64}}}


def test_files_are_named_as_the_user_named_them(write, tmp_path):
    (tmp_path / "sub").mkdir()
    reading = read(write(SMALL + "nmae: x\n", "sub/../m.yaml"))
    assert reading.diagnostics[0].position == Position("sub/../m.yaml", 5, 1, 4)
    reading = read(tmp_path / "m.yaml")
    assert reading.diagnostics[0].position.file == str(tmp_path / "m.yaml")


@pytest.mark.parametrize(
    ("path", "message", "hint"),
    [
        ("nothing.yaml", "there is no such file", "holds"),
        ("mm.yaml", "there is no such file", "did you mean 'm.yaml'?"),
        (".", "the file cannot be read: Is a directory", "give the path of a manifest"),
    ],
)
def test_manifests_that_are_not_there(write, path, message, hint):
    write(SMALL)
    (diagnostic,) = read(Path(path)).diagnostics
    assert (diagnostic.code, diagnostic.message) == ("E101", message)
    assert hint in diagnostic.hint


def test_a_manifest_is_a_regular_file(write, tmp_path):
    os.mkfifo("pipe.yaml")
    (diagnostic,) = read(Path("pipe.yaml")).diagnostics
    assert (diagnostic.code, diagnostic.position) == ("E101", Position("pipe.yaml", 1, 1))
    assert diagnostic.message == "the file cannot be read: it is not a regular file"
    # A file that the shell opened is one, too.
    with write(SMALL).open() as stream:
        assert read(Path(f"/dev/fd/{stream.fileno()}")).manifest.models == (MODEL,)


def test_texts_may_lie_in_folders_that_are_allowed(write, tmp_path):
    (tmp_path / "here").mkdir()
    (tmp_path / "mood.j2").write_text("mist")
    path = write(SMALL.replace("text: x", "file: ../mood.j2"), "here/m.yaml")
    (diagnostic,) = read(path).diagnostics
    assert (diagnostic.code, diagnostic.position) == ("E107", Position("here/m.yaml", 4, 29, 10))
    manifest = load(path, allow_outside=["."])
    assert [each.text for each in manifest.prompts] == ["mist"]
    assert manifest.folders == (tmp_path.resolve() / "here", tmp_path.resolve())


def test_load_raises_all_errors(write):
    with pytest.raises(ManifestError) as caught:
        load(write(SMALL + "takes: 0\nvars: {a: no}\nnmae: x\n"))
    assert [each.code for each in caught.value.diagnostics] == ["E205", "W901", "E201"]
    assert "the manifest has 2 errors; the first: m.yaml:5:8: takes is 0" in caught.value.message
    assert load(write(SMALL + "vars: {a: no}\n")).constants == {"a": False}


@pytest.mark.parametrize(
    ("text", "stage"),
    [
        ("a: [1\n", Stage.YAML),
        ("", Stage.YAML),
        ("2024-05-01\n", Stage.YAML),
        (SMALL + "takes: 2\ntakes: 3\n", Stage.YAML),
        ("- 1\n", Stage.STRUCTURE),
        ("5\n", Stage.STRUCTURE),
        (SMALL + "takes: 0\n", Stage.STRUCTURE),
    ],
)
def test_a_manifest_with_errors_is_none(write, text, stage):
    reading = read(write(text))
    assert (reading.manifest, len(reading.diagnostics), reading.checked) == (None, 1, stage)
    with pytest.raises(ManifestError) as caught:
        reading.valid()
    assert (caught.value.diagnostics, caught.value.checked) == (reading.diagnostics, stage)


def test_all_that_is_wrong_with_the_structure_is_told(write, tmp_path):
    (tmp_path / "a.jpg").write_bytes(picture_bytes(1))
    content = SMALL.replace('[{url: "https://example.com/shoe.jpg"}]', "[{file: a.jpg}, {file: b.jpg}]")
    more = "takes: two\nbudget: {max_jobs: many, x: 1}\nrun: 5\noutput: {dir: 5}\nparams: {duration: 5}\n"
    assert diagnose(read(write(content + more))) == [
        ("E401", 3, 32),
        ("E204", 5, 8),
        ("E204", 6, 20),
        ("E201", 6, 26),
        ("E204", 7, 6),
        ("E204", 8, 15),
        ("E204", 9, 20),
    ]


def test_models_without_a_schema(write):
    reading = read(write(SMALL.replace(MODEL, f"[none, {MODEL}, Kling-Image2Video-V1.6-Standart]")))
    assert diagnose(reading) == [("E209", 2, 9), ("E209", 2, 48)]
    assert reading.diagnostics[1].hint == f"did you mean '{MODEL}'?"


def test_warnings_can_be_switched_off(write):
    surprises = SMALL + "matrix: {a: [no]}\nvars: {b: no}\n"
    assert diagnose(read(write(surprises))) == [("W901", 5, 14), ("W901", 6, 11)]
    reading = read(write(surprises + "lint: {ignore: [W901, W801]}\n"))
    assert reading.diagnostics == ()
    assert reading.manifest.ignored == {"W901", "W801"}


def test_a_code_that_is_misspelled_switches_nothing_off_and_nothing_on(write):
    reading = read(write(SMALL + "vars: {b: no}\nlint: {ignore: [W901, W8O1]}\n"))
    (found,) = reading.diagnostics
    assert (found.code, found.position.line, found.position.column) == ("E203", 6, 23)
    assert found.message.startswith('ignore[1] is "W8O1"; it must be "W331", "W332", ')
    assert found.hint == 'did you mean "W801"?'


def test_errors_cannot_be_switched_off(write):
    reading = read(write(SMALL + "takes: two\nlint: {ignore: [E204]}\n"))
    assert diagnose(reading) == [("E204", 5, 8), ("E203", 6, 17)]
    assert reading.diagnostics[1].hint == "only warnings can be ignored; reelrun explain lists them"


def test_problems_of_yaml_come_before_those_of_the_schema(write):
    reading = read(write(SMALL + "takes: 2024-01-01\nvars: {on: 1, a: .nan}\nbudget: {max_cost: .inf}\nnmae: x\n"))
    assert diagnose(reading) == [("E106", 5, 8), ("E106", 6, 8), ("E106", 6, 18), ("E106", 7, 20)]


def test_a_warning_gives_way_to_an_error_at_its_place(write):
    reading = read(write(SMALL + "matrix:\n  a: no\n"))
    assert [(each.code, each.severity) for each in reading.diagnostics] == [("E204", Severity.ERROR)]


def test_doubts_in_params_are_left_to_the_schema_of_the_model(write):
    reading = read(write(SMALL + "params: {negative_prompt: no, cfg_scale: 1e-1}\n"))
    assert diagnose(reading) == [("E204", 5, 27), ("E204", 5, 42)]


def test_urls_are_fetched_on_request(write):
    asked = []

    def fetch(url):
        asked.append(url)
        return picture_bytes(1)

    assert load(write(SMALL), fetch=fetch).images[0].width == 320
    assert asked == ["https://example.com/shoe.jpg"]


PARTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.floats(0, 2)
    | st.sampled_from(["", "x", "a.jpg", "*.jpg", "~", "..", "/", "30m", "https://e.org/a", "{{ x }}", "\0", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["file", "glob", "url", "table", "base64", "id", "text", "vars", "params", "zip", "dir", "<<"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
TOP = ["version", "name", "model", "images", "prompts", "vars", "matrix", "params", "takes", "budget", "run", "output"]


def said(path):
    """What is said of a manifest, as it is printed."""
    reading = read(path)
    assert (reading.manifest is None) == any(each.severity is Severity.ERROR for each in reading.diagnostics)
    return [text(each, colour=True) for each in reading.diagnostics]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(keys=st.dictionaries(st.sampled_from([*TOP, "models", "x"]), PARTS), flow=st.booleans())
def test_any_values_are_read_or_refused(write, keys, flow):
    content = yaml.safe_dump({**yaml.safe_load(SMALL), **keys}, default_flow_style=flow, allow_unicode=True)
    assert all(said(write(content)))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.data())
def test_any_change_of_the_text_is_read_or_refused(write, data):
    content = SMALL + "matrix:\n  surface: &s [wet rock, 'warm']\n  cfg: [0.3]\nvars: {t: |\n  text}\nparams: {a: *s}\n"
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(start + 4, len(content))))
    inserted = data.draw(st.text(st.sampled_from("ab:-[]{}&*!|>'\"#%@`?,<=~.01 \n\t"), max_size=3))
    assert all(said(write(content[:start] + inserted + content[end:])))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.binary(max_size=60))
def test_any_bytes_are_refused(write, data):
    assert said(write(data))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()


def made(folder):
    (folder / "prompts").mkdir(parents=True)
    (folder / "prompts" / "mood.j2").write_text("Fog pans")
    (folder / "products.csv").write_text("image,product\np0.jpg,shoe\n")
    return write_manifest(
        folder,
        images=[{"table": "products.csv"}],
        prompts=[{"file": "prompts/mood.j2"}, {"file": "prompts/mood.j2", "id": "again"}, {"id": "own", "text": "x"}],
    )


def test_each_file_once_in_the_order_of_paths(tmp_path):
    path = made(tmp_path)
    assert load(path).inputs == (
        Input(InputKind.MANIFEST, "campaign.yaml", digest(path.read_text())),
        Input(InputKind.TABLE, "products.csv", digest("image,product\np0.jpg,shoe\n")),
        Input(InputKind.PROMPT, "prompts/mood.j2", digest("Fog pans")),
    )


def test_ends_of_lines_and_a_mark_at_the_beginning_change_no_digest(tmp_path):
    path = made(tmp_path)
    before = load(path).inputs
    for each in (path, tmp_path / "products.csv"):
        each.write_bytes(b"\xef\xbb\xbf" + each.read_bytes().replace(b"\n", b"\r\n"))
    assert load(path).inputs == before
    path.write_text(path.read_text() + "# a comment\n")
    assert load(path).inputs[0] != before[0]
