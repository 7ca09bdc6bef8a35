from __future__ import annotations

import html.parser
import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
import yaml

import runner
from runner.api.service import Connection, Service
from runner.cli.progress import PlainBar
from runner.engine.run import RunSnapshot
from runner.errors import AccessError, Exit, ManifestError, NotConfirmedError, StateError, UsageError
from runner.model import Action, JobRecord, Status
from runner.planning.selection import Selection
from runner.results.frames.job_frame import Results
from runner.results.job_document import job_document
from runner.verdicts.verdict import Marking
from tests.delivered import clip_bytes, deliver, mark
from tests.faults.service import FaultyService
from tests.kit import MODEL, few_frames, write_manifest


def test_the_public_names():
    assert runner.__all__ == ["Selection", "compare_votes", "connect", "load", "plan", "results", "run", "verdicts"]
    assert runner.Selection is Selection
    with pytest.raises(AttributeError):
        _ = runner.selection_that_is_not_there
    heavy = "import sys, runner; print([each for each in sys.modules if each[:7] in ('runner.', 'typing')])"
    assert subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True).stdout == "[]\n"


def test_load_raises_with_every_problem(tmp_path):
    path = write_manifest(tmp_path, takes=0, params={"duration": 5})
    with pytest.raises(ManifestError) as caught:
        runner.load(path)
    # Those that planning finds as well.
    assert sorted(each.code for each in caught.value.diagnostics) == ["E204", "E205"]
    with pytest.raises(ManifestError):
        runner.load(str(tmp_path / "none.yaml"))


def test_plan_writes_nothing(tmp_path):
    manifest = runner.load(str(write_manifest(tmp_path, takes=2)))
    made = runner.plan(manifest)
    assert made.totals[Action.SUBMIT] == 2
    assert runner.plan(manifest, Selection(only=("*take-1",))).totals[Action.SUBMIT] == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["campaign.yaml", "p0.jpg"]


def test_connect_reads_the_environment(monkeypatch):
    monkeypatch.setenv("GMI_BASE_URL", "https://service.invalid/queue/")
    monkeypatch.setenv("GMI_ORG_ID", "org-7")
    made = runner.connect()
    assert (made.name, made.organisation) == ("https://service.invalid:443", "org-7")
    with pytest.raises(AccessError), made.open():
        pass
    monkeypatch.setenv("GMI_API_KEY", "k-1")
    with runner.connect().open() as service:
        assert service.base_url == "https://service.invalid/queue"
    with pytest.raises(UsageError):
        runner.connect("http://service.invalid")


def test_a_run_from_its_plan_to_its_index(tmp_path):
    manifest = runner.load(write_manifest(tmp_path, takes=2))
    asked, seen = [], []

    def confirm(plan):
        asked.append(plan.totals[Action.SUBMIT])
        return True

    with FaultyService(few_frames()) as service:
        connection = Connection.to(Service(service.base_url))
        result = runner.run(manifest, connection, confirm=confirm, progress=seen.append)
        assert (result.exit_code, result.submitted, result.totals[Status.SUCCEEDED]) == (Exit.DONE, 2, 2)
        assert result.index.is_file()
        assert seen[-1].total == 2
        calls = len(service.calls)
        again = runner.run(manifest, connection, confirm=confirm)
        assert (again.submitted, again.exit_code, len(service.calls)) == (0, Exit.DONE, calls)
    assert asked == [2], "nothing is asked where nothing is bought"
    assert runner.plan(manifest).totals[Action.KEEP] == 2


def test_a_run_that_is_not_confirmed(tmp_path):
    manifest = runner.load(write_manifest(tmp_path))
    with FaultyService(few_frames()) as service:
        with pytest.raises(NotConfirmedError):
            runner.run(manifest, Connection.to(Service(service.base_url)), confirm=lambda plan: False)
        assert service.calls == ["other"], "the price alone was asked for"


def test_consent_to_uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    manifest = runner.load(write_manifest(tmp_path, side=400, model="wan2.7-i2v", lint={"ignore": ["W421", "W804"]}))
    with FaultyService(few_frames()) as service:
        connection = runner.connect(service.base_url)
        with pytest.raises(NotConfirmedError):
            runner.run(manifest, connection, confirm=lambda plan: True)
        assert set(service.calls) == {"other"}, "prices alone were asked for, and whether it is a sandbox"
        result = runner.run(manifest, connection, confirm=lambda plan: True, allow_uploads=True)
        assert (result.exit_code, len(service.kept())) == (Exit.DONE, 1)


def document(folder, **keys):
    """A manifest as a dictionary, with one picture beside it."""
    write_manifest(folder)
    return {
        "version": 1,
        "name": "from a notebook",
        "model": MODEL,
        "images": [{"file": Path("p0.jpg"), "vars": {"product": "<b>shoe</b>"}}],
        "prompts": [{"id": "plain", "text": "A {{ product }} at {{ cfg }}, slow push-in"}],
        "matrix": {"cfg": np.array([0.25, 0.75]), "take_of": ("1", "2")},
        "params": {"cfg_scale": "{{ cfg }}", "negative_prompt": "{{ take_of }}"},
        "budget": {"price_per_job": 0.25},
        "output": {"dir": "out", "previews": "none"},
        "lint": {"ignore": ["W801", "W802", "W803", "W804", "W805", "W806"]},
        **keys,
    }


def test_load_takes_a_dictionary(tmp_path):
    manifest = runner.load(document(tmp_path), base_dir=tmp_path)
    assert manifest.path == tmp_path / "from-a-notebook"
    assert manifest.matrix.axes == {"cfg": (0.25, 0.75), "take_of": ("1", "2")}
    assert manifest.output.dir == tmp_path / "out"
    planned = runner.plan(manifest)
    assert [each.job.payload["cfg_scale"] for each in planned.jobs] == [0.25, 0.25, 0.75, 0.75]
    # A dictionary and the file that says the same are one: they buy nothing twice.
    (tmp_path / "same.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document(tmp_path), default=plain))))
    same = runner.plan(runner.load(tmp_path / "same.yaml"))
    assert [each.job.id for each in same.jobs] == [each.job.id for each in planned.jobs]


def plain(value):
    return value.tolist() if hasattr(value, "tolist") else str(value)


def test_what_is_wrong_with_a_dictionary(tmp_path, monkeypatch):
    with pytest.raises(ManifestError) as caught:
        runner.load(document(tmp_path, takes=0, vars={"x": "{{ nope }}"}, nmae=1), base_dir=tmp_path)
    assert [each.position.file for each in caught.value.diagnostics] == ["<manifest>"] * 2
    assert str(caught.value).splitlines()[0] == "the manifest has 2 errors"
    assert "error[E205]: takes is 0" in str(caught.value)
    assert "help: did you mean 'name'" in str(caught.value)
    for wrong in ({"name": object()}, {"vars": {"x": NotConfirmedError}}):
        with pytest.raises(UsageError, match="cannot stand in a manifest"):
            runner.load(document(tmp_path, **wrong), base_dir=tmp_path)
    endless: dict[str, object] = {}
    endless["x-itself"] = endless
    with pytest.raises(UsageError, match="what holds itself"):
        runner.load(endless)
    with pytest.raises(UsageError, match="no such folder"):
        runner.load({}, base_dir=tmp_path / "none")
    with pytest.raises(UsageError, match="base_dir is for a dictionary"):
        runner.load(tmp_path / "campaign.yaml", base_dir=tmp_path)
    monkeypatch.setenv("GMI_API_KEY", "sk-secret-0123456789")
    with pytest.raises(ManifestError) as caught:
        runner.load(document(tmp_path, name="sk-secret-0123456789"), base_dir=tmp_path)
    assert caught.value.diagnostics[0].code == "E108"
    assert "sk-secret" not in str(caught.value)


@pytest.fixture(scope="module")
def sandboxed(tmp_path_factory):
    """A manifest that ran in the sandbox."""
    folder = tmp_path_factory.mktemp("notebook")
    manifest = runner.load(document(folder), base_dir=folder)
    result = runner.run(manifest, sandbox={"height": 64, "seconds": 0}, progress=False)
    return manifest, result


def test_a_run_in_the_sandbox_needs_no_words(sandboxed):
    manifest, result = sandboxed
    assert (result.exit_code, result.submitted) == (Exit.DONE, 4)
    assert result.output_dir == manifest.path.parent / "out-sandbox"
    assert json.loads(result.index.read_text())["manifest"]["name"] == "from a notebook"
    assert runner.plan(manifest, sandbox=True).totals[Action.KEEP] == 4
    assert runner.plan(manifest).totals[Action.SUBMIT] == 4
    with pytest.raises(UsageError, match="no such setting"):
        runner.run(manifest, sandbox={"heigth": 64})


def test_the_bar_of_a_run(sandboxed, capsys):
    manifest, _ = sandboxed
    runner.run(manifest, sandbox={"height": 64, "seconds": 0}, selection=Selection(only="*0.75*"))
    # Nothing is left to do, so there is nothing to show.
    assert capsys.readouterr().err == ""
    bar = PlainBar(manifest)
    bar(RunSnapshot(4, 3, 1, 4, {"queued": 1}, Decimal("0.75"), ""))
    bar.close()
    shown = capsys.readouterr().err
    assert "4/4" in shown
    assert "1 queued, 1 failed" in shown.replace(" · ", ", ")


def test_results_as_a_frame(sandboxed):
    import pandas  # half a second, which other tests need not wait for

    manifest, _ = sandboxed
    found = runner.results(manifest, sandbox=True)
    assert len(found) == 4
    assert found[0]["variables"] == {"cfg": 0.25, "take_of": "1"}
    assert isinstance(found[:2], type(found))
    frame = found.to_frame()
    assert list(frame.columns[:6]) == ["key", "image", "prompt", "model", "cfg", "take_of"]
    assert frame["cfg"].tolist() == [0.25, 0.25, 0.75, 0.75]
    assert frame["take_of"].tolist() == ["1", "2", "1", "2"]
    for name in ("cfg", "cost", "seconds", "width", "frozen", "last_frame"):
        assert pandas.api.types.is_numeric_dtype(frame[name]), name
    assert pandas.api.types.is_datetime64_any_dtype(frame["submitted_at"])
    assert all(Path(each).is_file() for each in frame["video"])
    assert frame["product"].unique().tolist() == ["<b>shoe</b>"]
    assert frame.groupby("cfg")["frozen"].mean().shape == (2,)
    with pytest.raises(StateError, match="no state"):
        runner.results(manifest)


def test_names_that_columns_have_already(tmp_path):
    jobs = ({**JOB, "variables": {"status": 1, "motion": 2}, "image_vars": {"id": "a", "size": 3}},)
    frame = Results("x", tmp_path, jobs).to_frame()
    assert frame.loc[0, ["variables.status", "variables.motion", "image_vars.id", "size"]].tolist() == [1, 2, "a", 3]
    assert frame["status"].tolist() == ["pending"]
    assert frame["cost"].dtype == float
    assert Results("x", tmp_path, ()).to_frame().empty


JOB = job_document(
    JobRecord("1", "k", (), False, "", "p", MODEL, {}, 1, {}, Status.PENDING, ""),
)


def test_a_frame_without_pandas(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UsageError, match="to_frame needs pandas") as caught:
        Results("x", tmp_path, ()).to_frame()
    assert "pip install" in caught.value.hint


def test_nobody_is_charged_by_accident(tmp_path, monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    manifest = runner.load(write_manifest(tmp_path, budget={"price_per_job": 0.25}))
    with FaultyService(few_frames()) as service:
        with pytest.raises(NotConfirmedError) as caught:
            runner.run(manifest, runner.connect(service.base_url), progress=False)
        assert "submit" not in service.calls
    assert "would submit 1 job for $0.25 to sandbox; nothing was sent" in str(caught.value)
    assert "confirm=lambda plan: True" in str(caught.value)


@pytest.mark.parametrize("sandbox", [{}, True, {"seconds": 0}])
def test_a_sandbox_is_no_paid_service(tmp_path, monkeypatch, sandbox):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    manifest = runner.load(write_manifest(tmp_path))
    with FaultyService(few_frames()) as service:
        connection = runner.connect(service.base_url)
        with pytest.raises(UsageError, match="and not with both"):
            runner.run(manifest, connection, sandbox=sandbox, confirm=lambda plan: True)
        assert service.calls == []


def test_what_was_bought_into_another_folder_is_not_bought_again(tmp_path, monkeypatch):
    monkeypatch.setenv("GMI_API_KEY", "sk-test")
    content = yaml.safe_load(write_manifest(tmp_path).read_text())
    del content["output"]
    with FaultyService(few_frames()) as service:
        connection = runner.connect(service.base_url)
        for name in ("wan 2.5", "wan 2.5"):
            spring = runner.load({**content, "name": name}, base_dir=tmp_path)
            runner.run(spring, connection, confirm=lambda plan: True, progress=False)
        assert service.posts == 1
        other = runner.load({**content, "name": "wan 2.6"}, base_dir=tmp_path)
        assert other.output.dir != spring.output.dir
        with pytest.raises(NotConfirmedError, match="1 job of this plan was bought before"):
            runner.run(other, connection, confirm=lambda plan: True, progress=False)
        assert service.posts == 1


def test_an_interruption_ends_a_run_as_on_the_command_line(tmp_path):
    def stop(snapshot):
        if snapshot.submitted and not told:
            told.append(snapshot)
            os.kill(os.getpid(), signal.SIGINT)

    told, before = [], signal.getsignal(signal.SIGINT)
    manifest = runner.load(write_manifest(tmp_path))
    with FaultyService(few_frames()) as service:
        result = runner.run(
            manifest, Connection.to(Service(service.base_url)), confirm=lambda plan: True, progress=stop
        )
        assert result.interrupted
        assert signal.getsignal(signal.SIGINT) is before
        again = runner.run(
            manifest, Connection.to(Service(service.base_url)), confirm=lambda plan: True, progress=False
        )
        assert (again.exit_code, service.posts) == (Exit.DONE, 1)


def test_representations_are_short_and_escaped(sandboxed):
    manifest, result = sandboxed
    planned, found = runner.plan(manifest), runner.results(manifest, sandbox=True)
    many = runner.plan(
        runner.load(document(manifest.path.parent, takes=12, name="<i>x"), base_dir=manifest.path.parent)
    )
    assert repr(manifest) == f"<Manifest from a notebook ({MODEL}): 1 images, 1 prompts, 2 axes, 1 takes>"
    assert repr(planned) == "<Plan of from a notebook: 4 to submit for $1.00>"
    assert repr(result) == "<Result: 4 succeeded; 4 submitted; exit 0>"
    assert repr(found).startswith("<Results of from a notebook: 4 of 4 jobs succeeded, in ")
    assert repr(planned.jobs[0]).startswith("<Planned submit p0/plain/")
    assert len(repr(planned.jobs[0].job)) < 600
    assert len(repr(runner.connect("http://127.0.0.1:1/x"))) < 400
    for each in (planned, result, found, many):
        page = each._repr_html_()
        assert len(page) < 8000
        assert "<i>" not in page
        lxml_free = html.parser.HTMLParser()
        lxml_free.feed(page)
    assert "&lt;i&gt;x: 48 cells, 48 jobs for $12.00" in many._repr_html_()
    assert "4 to submit" not in planned._repr_html_()
    assert "$1.00" in planned._repr_html_()


def test_a_selection_as_people_write_it(tmp_path):
    manifest = runner.load(document(tmp_path), base_dir=tmp_path)
    for selection, jobs in (
        (Selection(only="*0.25*"), 2),
        (Selection(where={"cfg": 0.25, "take_of": ["1", "2"]}), 2),
        (Selection(where={"product": "<b>shoe</b>"}, skip=["*take_of=2*"]), 2),
    ):
        assert runner.plan(manifest, selection).totals[Action.SUBMIT] == jobs
    with pytest.raises(UsageError, match="unknown variable"):
        runner.plan(manifest, Selection(where={"nope": "1"}))


def test_what_reviewers_said(tmp_path):
    path = write_manifest(tmp_path, takes=2)
    manifest, jobs = deliver(path, [clip_bytes(1), clip_bytes(2)])
    mark(manifest, jobs[0])
    said = runner.verdicts(manifest)
    assert said.marked(jobs[0].id, Marking.PICK) == ("ann",)
    assert repr(said) == "<Verdicts of ann: 0 votes, 1 clips marked, 0 notes>"
    assert runner.results(manifest).to_frame()["pick"].tolist() == [True, False]
    assert len(runner.plan(manifest, Selection(picks=frozenset(["yes"]))).jobs) == 2
    with pytest.raises(StateError):
        runner.verdicts(manifest, sandbox=True)


NOTEBOOK = """\
import json, runner
manifest = runner.load(json.load(open("sweep.json")))
runner.plan(manifest)
---
runner.run(manifest, sandbox={"height": 90, "seconds": 0})
---
results = runner.results(manifest, sandbox=True)
results
---
frame = results.to_frame()
axes = frame.pivot_table(index="cfg", columns="take_of", values="seconds").plot.bar(rot=0, ylabel="seconds")
frame[["cfg", "take_of", "seconds", "frozen", "cost"]]
---
runner.load({"version": 1, "model": "nope", "takes": 0})
"""


def test_a_notebook(tmp_path):
    """From a manifest to a plot in ten lines; the pictures are for looking at."""
    import nbformat  # as above
    from nbclient import NotebookClient

    (tmp_path / "sweep.json").write_text(json.dumps(document(tmp_path), default=plain))
    cells = [nbformat.v4.new_code_cell(each) for each in NOTEBOOK.split("---\n")]
    assert NOTEBOOK.replace("---\n", "").count("\n") <= 10 + 1
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    outputs = [[each for each in cell.outputs if each.output_type != "stream"] for cell in cells]
    errors = [each for found in outputs[:-1] for each in found if each.output_type == "error"]
    assert errors == [], errors
    planned, result, found = (each[-1].data for each in outputs[:3])
    assert "4 cells, 4 jobs" in planned["text/html"]
    assert "4 submitted" in result["text/html"]
    assert "4 of 4 jobs succeeded" in found["text/html"]
    data = [each.data for each in outputs[3]]
    assert any("image/png" in each for each in data)
    assert "dataframe" in data[0]["text/html"]
    (failed,) = outputs[-1]
    assert (failed.ename, failed.evalue.splitlines()[0]) == ("ManifestError", "the manifest has 3 errors")
    (tmp_path / "executed.ipynb").write_text(nbformat.writes(notebook))
