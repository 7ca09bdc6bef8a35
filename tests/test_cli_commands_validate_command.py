from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from runner.cli.arguments import parser
from tests.command import call
from tests.kit import picture_bytes, write_manifest

DIAGNOSTIC = ["code", "severity", "file", "line", "column", "message", "hint"]
ARMS = [{"id": "plain", "text": "{{ s }}"}, {"id": "mood", "text": "Fog, {{ s }}"}]
SWEEP = {"pictures": 2, "prompts": ARMS, "matrix": {"s": ["wet rock", "warm sand"]}}


def test_a_sound_manifest(tmp_path):
    ended = call("validate", write_manifest(tmp_path, **SWEEP))
    assert (ended.code, ended.err) == (0, "")
    assert "is valid: 8 jobs. Next: reelrun plan " in ended.out
    assert not (tmp_path / "out").exists()


def test_validate_prints_its_document_for_a_sound_manifest(tmp_path):
    ended = call("validate", write_manifest(tmp_path), "--json")
    assert (ended.code, ended.document, ended.err) == (0, {"checked": "planning", "diagnostics": []}, "")


def test_texts_outside_are_read_where_that_is_allowed(tmp_path):
    (tmp_path / "mood.j2").write_text("Fog, slow push-in")
    path = write_manifest(tmp_path / "in", prompts=[{"file": "../mood.j2"}])
    refused = call("validate", path)
    assert "error[E107]: the prompt file '../mood.j2' lies outside the manifest's folder" in refused.err
    assert f"--allow-outside {tmp_path}" in refused.err
    for command in ("plan", "status", "verify", "index", "run"):
        assert call(command, path, "--sandbox").code == 2
    ended = call("validate", path, "--allow-outside", tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert f"Next: reelrun plan {path} --allow-outside {tmp_path}" in ended.out
    in_bucket = call("validate", path, "--allow-outside", tmp_path, "--state", "s3://campaigns/x")
    assert f"--allow-outside {tmp_path} --state s3://campaigns/x\n" in in_bucket.out
    assert call("plan", path, "--allow-outside", tmp_path).code == 0
    ended = call("plan", path, "--allow-outside", tmp_path / "none")
    assert (ended.code, "there is no such folder" in ended.err) == (2, True)


@pytest.mark.parametrize(
    ("content", "checked"),
    [
        (None, "yaml"),
        (b"", "yaml"),
        (b"a: [1\nb: }", "yaml"),
        (b"\xff\xfe\x00", "yaml"),
        (b"a: 1\na: 2\n", "yaml"),
        (b"- 1\n", "structure"),
        (b"version: 2\n", "structure"),
    ],
)
def test_validate_prints_its_document_for_everything(tmp_path, content, checked):
    path = tmp_path / "x.yaml"
    if content is not None:
        path.write_bytes(content)
    ended = call("validate", path, "--json")
    assert (ended.code, ended.err) == (2, "")
    assert (list(ended.document), ended.document["checked"]) == (["checked", "diagnostics"], checked)
    assert [list(each) for each in ended.document["diagnostics"]] == [DIAGNOSTIC] * len(ended.document["diagnostics"])
    assert ended.document["diagnostics"]


def test_problems_of_templates_come_after_those_of_pictures(tmp_path):
    prompts = [{"id": "a", "text": "{{ nope }}"}]
    path = write_manifest(tmp_path, images=[{"file": "p0.jpg"}, {"file": "bad.jpg"}], prompts=prompts)
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    for checked, code in (("structure", "E402"), ("planning", "E311")):
        document = call("validate", path, "--json").document
        assert (document["checked"], [each["code"] for each in document["diagnostics"]]) == (checked, [code])
        (tmp_path / "bad.jpg").write_bytes(picture_bytes())


def test_what_was_not_checked_yet_is_said(tmp_path):
    path = write_manifest(tmp_path, takes=0)
    assert call("validate", path).err.splitlines()[-1] == "1 error. Planning was not checked yet. Nothing was sent."
    assert call("plan", path).err.splitlines()[-1] == "1 error. Planning was not checked yet. Nothing was sent."
    path.write_text("a: 1\na: 2\n")
    said = "1 error. Structure and planning were not checked yet. Nothing was sent."
    assert call("validate", path).err.splitlines()[-1] == said


def test_validate_says_what_is_wrong_where_and_how_to_mend_it(tmp_path):
    ended = call("validate", write_manifest(tmp_path, params={"duration": 5}))
    assert ended.code == 2
    assert ended.out == ""
    first, line, caret, remedy, last = ended.err.splitlines()
    assert re.search(r"campaign\.yaml:\d+:13: error\[E204\]: ", first)
    assert line.endswith("|   duration: 5")
    assert caret.endswith("|             ^")
    assert remedy.startswith("   help: ")
    assert last == "1 error. Planning was not checked yet. Nothing was sent."


def test_the_next_step_can_be_copied(tmp_path):
    path = write_manifest(tmp_path, name="my campaign.yaml")
    assert call("validate", path).out.endswith(f"is valid: 1 job. Next: reelrun plan '{path}'\n")


# Formats


def test_every_format_tells_the_same_problems(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    write_manifest(tmp_path, params={"duration": 5}, vars={"lights": False})
    (tmp_path / "campaign.yaml").write_text((tmp_path / "campaign.yaml").read_text().replace("false", "no"))
    told = {name: call("validate", "campaign.yaml", "--format", name) for name in ("text", "json", "sarif", "github")}
    assert {ended.code for ended in told.values()} == {2}
    places = [(each["code"], each["line"], each["column"]) for each in told["json"].document["diagnostics"]]
    assert {code for code, _, _ in places} == {"E204", "W901"}
    results = told["sarif"].document["runs"][0]["results"]
    regions = [each["locations"][0]["physicalLocation"]["region"] for each in results]
    assert [
        (each["ruleId"], region["startLine"], region["startColumn"])
        for each, region in zip(results, regions, strict=True)
    ] == places
    found = re.findall(r"^campaign\.yaml:(\d+):(\d+): \w+\[(.*?)\]", told["text"].err, re.MULTILINE)
    assert [(code, int(line), int(column)) for line, column, code in found] == places
    commands = re.compile(r"^::\w+ file=campaign\.yaml,line=(\d+),col=(\d+),endColumn=\d+,title=(\w+)::", re.MULTILINE)
    found = commands.findall(told["github"].out)
    assert [(code, int(line), int(column)) for line, column, code in found] == places


def test_documents_stand_alone_on_stdout(tmp_path):
    path = write_manifest(tmp_path, params={"duration": 5})
    assert call("validate", path, "--format", "sarif").err == ""
    assert call("validate", path, "--format", "json") == call("validate", path, "--json")


def test_sarif_names_the_tool_and_the_file_from_the_current_folder(tmp_path, monkeypatch):
    write_manifest(tmp_path / "my videos", params={"duration": 5})
    monkeypatch.chdir(tmp_path)
    run = call("validate", tmp_path / "my videos" / "campaign.yaml", "--format", "sarif").document["runs"][0]
    assert run["tool"]["driver"]["name"] == "reelrun"
    place = run["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "my%20videos/campaign.yaml"}


def test_annotations_alone_are_on_stdout(tmp_path):
    ended = call("validate", write_manifest(tmp_path, params={"duration": 5}), "--format", "github")
    assert re.fullmatch(r"::error .*\n", ended.out)
    assert ended.err == "1 error. Planning was not checked yet. Nothing was sent.\n"
    ended = call("validate", write_manifest(tmp_path), "--format", "github")
    assert (ended.code, ended.out) == (0, "")
    assert "is valid: 1 job." in ended.err


def test_annotations_name_files_from_the_checkout(tmp_path, monkeypatch):
    write_manifest(tmp_path / "videos", params={"duration": 5})
    monkeypatch.chdir(tmp_path / "videos")
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    assert call("validate", "campaign.yaml", "--format", "github").out.startswith("::error file=campaign.yaml,")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert call("validate", "campaign.yaml", "--format", "github").out.startswith("::error file=videos/campaign.yaml,")


def test_a_usual_format_is_text():
    assert parser().parse_args(["validate", "x.yaml"]).format is None
    assert parser().parse_args(["validate", "x.yaml", "--json"]).json is True
    assert parser().parse_args(["validate", "x.yaml", "--format", "sarif"]).json is False


# Several manifests


@pytest.fixture
def three(tmp_path, monkeypatch):
    """A sound manifest, one with an error, one with a warning; in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_manifest(tmp_path, name="sound.yaml")
    write_manifest(tmp_path, name="wrong.yaml", params={"duration": 5}, takes=0)
    lit = [{"id": "lit", "text": "A slow push-in, {{ lights | string }}"}]
    write_manifest(tmp_path, name="doubtful.yaml", vars={"lights": "LIGHTS"}, prompts=lit)
    path = tmp_path / "doubtful.yaml"
    path.write_text(path.read_text().replace("LIGHTS", "no"))
    return ["sound.yaml", "wrong.yaml", "doubtful.yaml"]


def test_one_document_for_all_by_argument_then_place(three):
    ended = call("validate", *three, "--json")
    assert ended.code == 2
    found = [(each["file"], each["code"]) for each in ended.document["diagnostics"]]
    assert found == [("wrong.yaml", "E204"), ("wrong.yaml", "E205"), ("doubtful.yaml", "W901")]
    turned = call("validate", *reversed(three), "--json").document["diagnostics"]
    assert [each["code"] for each in turned] == ["W901", "E204", "E205"]


def test_the_summary_tells_of_each_and_of_all(three):
    ended = call("validate", *three)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.splitlines()[-4:] == [
        "sound.yaml is valid: 1 job",
        "wrong.yaml: 2 errors. Planning was not checked yet",
        "doubtful.yaml is valid: 1 job, 1 warning",
        "3 manifests, 2 valid: 2 errors, 1 warning. Nothing was sent.",
    ]
    assert call("validate", *three, "--format", "github").err.splitlines() == ended.err.splitlines()[-4:]


def test_several_sound_manifests(three):
    ended = call("validate", "sound.yaml", "doubtful.yaml")
    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[-1] == "2 manifests, all valid: 1 warning."
    ended = call("validate", "sound.yaml", "./sound.yaml")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        "sound.yaml is valid: 1 job",
        "./sound.yaml is valid: 1 job",
        "2 manifests, all valid.",
    ]


def test_a_missing_manifest_stops_no_other(three, tmp_path):
    (tmp_path / "folder.yaml").mkdir()
    ended = call("validate", "none.yaml", "folder.yaml", *three, "--json")
    codes = [each["code"] for each in ended.document["diagnostics"]]
    assert (ended.code, codes) == (2, ["E101", "E101", "E204", "E205", "W901"])
    assert (
        call("validate", "none.yaml", "folder.yaml")
        .err.splitlines()[-1]
        .startswith("2 manifests, none valid: 2 errors.")
    )


def test_what_manifests_share_is_told_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mood.j2").write_text("{{ nope }}")
    for name in ("a.yaml", "b.yaml"):
        write_manifest(tmp_path, name=name, prompts=[{"file": "mood.j2"}])
    ended = call("validate", "a.yaml", "b.yaml", "--json")
    assert [(each["file"], each["code"]) for each in ended.document["diagnostics"]] == [("mood.j2", "E311")]
    assert call("validate", "a.yaml", "b.yaml").err.splitlines()[-3:] == [
        "a.yaml: 1 error",
        "b.yaml: 1 error",
        "2 manifests, none valid: 1 error. Nothing was sent.",
    ]


def test_a_name_of_a_manifest_cannot_say_anything_to_a_terminal(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a\x1b[2J.yaml", "b.yaml"):
        write_manifest(tmp_path, name=name)
    assert "\x1b" not in call("validate", "a\x1b[2J.yaml", "b.yaml").out
    alone = call("validate", "a\x1b[2J.yaml").out
    assert alone.startswith("a\\u001b[2J.yaml is valid")
    assert "\x1b" not in alone


def test_pictures_of_addresses_are_fetched_on_request(tmp_path, monkeypatch):
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pictures)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        origin = f"http://127.0.0.1:{server.server_port}"
        # Addresses of this machine are looked at where the service is on it, too.
        monkeypatch.setenv("GMI_BASE_URL", origin)
        images = [{"url": f"{origin}/{name}", "id": name} for name in ("good", "bad", "none")]
        path = write_manifest(tmp_path, images=images)
        assert call("validate", path, "--json").document["diagnostics"] == []
        found = call("validate", path, "--json", "--check-urls").document["diagnostics"]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [each["column"] for each in found] == [8, 8]
    assert all(f"{origin}/{name}" in each["message"] for name, each in zip(("bad", "none"), found, strict=True))


class _Pictures(BaseHTTPRequestHandler):
    """A picture, something else, and nothing."""

    def do_GET(self):
        known = {"/good": picture_bytes(), "/bad": b"no picture"}
        content = known.get(self.path)
        self.send_response(404 if content is None else 200)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_):
        pass
