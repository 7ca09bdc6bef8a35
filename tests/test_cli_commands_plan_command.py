from __future__ import annotations

import json
import re

import pytest

from runner.cli.screen import shown_path
from runner.model import Status
from tests.command import SANDBOX, call, terminal
from tests.kit import MODEL, picture_bytes, write_manifest
from tests.test_planning_plan import plan as planned
from tests.test_planning_plan import state_of

ARMS = [{"id": "plain", "text": "{{ s }}"}, {"id": "mood", "text": "Fog, {{ s }}"}]
SWEEP = {"pictures": 2, "prompts": ARMS, "matrix": {"s": ["wet rock", "warm sand"]}}


def test_a_plan_for_people(tmp_path):
    path = write_manifest(
        tmp_path, **{**SWEEP, "matrix": {**SWEEP["matrix"], "exclude": [{"image": "p1", "s": "wet rock"}]}},
        takes=2, budget={"price_per_job": 0.25, "max_cost": 40},
    )  # fmt: skip
    ended = call("plan", path)
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == f"test · {MODEL}"
    assert lines[1] == "2 images x 2 prompts x 2 variants x 2 takes, less 4 excluded = 12 cells, 12 jobs"
    assert lines[3] == f"  submit      12   {'new':<24}  $3.00"
    assert lines[4] == f"  in all      12   {'':<24}  $3.00 to spend"
    assert lines[-1] == (
        f"Next: reelrun run {path}        (12 submissions, $3.00; $3.00 of the budget of $40.00 when done)"
    )
    assert any(re.fullmatch(r"  \.\.\. 7 more; reelrun plan \S+ --jobs lists all", line) for line in lines)
    assert not (tmp_path / "out").exists()


def test_every_job_on_request(tmp_path):
    out = call("plan", write_manifest(tmp_path, **SWEEP), "--jobs").out
    assert len(re.findall(r"^  submit  [0-9a-f]{16}  p\d/\w+/s=[a-z-]+/take-1  \(new\)$", out, re.MULTILINE)) == 8


def test_equal_requests_are_shown(tmp_path):
    out = call("plan", write_manifest(tmp_path, prompts=[{"id": name, "text": "same"} for name in "ab"])).out
    assert "1 image x 2 prompts = 2 cells, 1 job (1 cell renders to the same request)" in out
    assert "  p0/a/take-1 = p0/b/take-1" in out


def test_the_document_of_a_plan(tmp_path):
    path = write_manifest(tmp_path, **SWEEP, budget={"price_per_job": 0.25, "currency": "EUR"})
    ended = call("plan", path, "--json")
    document = ended.document
    assert (ended.code, ended.err) == (0, "")
    assert list(document) == ["manifest", "totals", "cost", "jobs", "duplicates", "diagnostics"]
    assert document["manifest"] == str(path.resolve())
    assert document["totals"] == {"submit": 8, "attach": 0, "fetch": 0, "keep": 0, "skip": 0}
    assert document["cost"] == {"total": 2.0, "currency": "EUR"}
    assert (document["duplicates"], document["diagnostics"]) == ([], [])
    first = document["jobs"][0]
    assert list(first) == [
        *("id", "key", "image", "prompt_id", "model", "variables", "take", "payload", "action", "reason"),
    ]
    assert re.fullmatch("[0-9a-f]{16}", first["id"])
    assert (first["key"], first["variables"]) == ("p0/plain/s=wet-rock/take-1", {"s": "wet rock"})
    assert first["payload"]["image"].startswith("sha256:")


def test_no_price_is_null(tmp_path):
    assert call("plan", write_manifest(tmp_path), "--json").document["cost"] is None


def test_duplicates_in_the_document(tmp_path):
    path = write_manifest(tmp_path, prompts=[{"id": name, "text": "same"} for name in "abc"])
    assert call("plan", path, "--json").document["duplicates"] == [["p0/a/take-1", "p0/b/take-1", "p0/c/take-1"]]


def test_warnings_do_not_stop_a_plan(tmp_path):
    path = write_manifest(tmp_path, prompts=[{"id": "plain", "text": "A shoe{{ 's' if answer }} pans"}])
    path.write_text(path.read_text() + "vars:\n  answer: no\n")
    ended = call("plan", path, "--json")
    warnings = ended.document["diagnostics"]
    assert ended.code == 0
    assert [each["severity"] for each in warnings] == ["warning"]
    assert "1 warning." in call("plan", path).err


def test_a_plan_over_the_budget_still_answers(tmp_path):
    path = write_manifest(tmp_path, takes=3, budget={"price_per_job": 1, "max_cost": 2})
    assert call("plan", path).code == 0


def test_the_next_step_repeats_the_choice(tmp_path):
    path = write_manifest(tmp_path, **SWEEP)
    out = call("plan", path, "--only", "*/mood/*", "--retry-failed").out
    assert f"Next: reelrun run {path} --only '*/mood/*' --retry-failed        (4 submissions)" in out
    assert "  skip         4   not selected" in out


def test_a_choice_of_nothing_is_said(tmp_path):
    ended = call("plan", write_manifest(tmp_path), "--only", "mistyped*")
    assert ended.code == 2
    assert "--only mistyped* matches no job" in ended.err
    assert "a glob matches whole keys; the first one is p0/plain/take-1" in ended.err


def test_a_plan_against_a_state(tmp_path):
    keys = {**SWEEP, "budget": {"price_per_job": 0.25, "max_cost": 40}}
    made = planned(tmp_path, **keys)
    with state_of(made, Status.SUCCEEDED, Status.FAILED, Status.WAITING, Status.UNKNOWN):
        pass
    ended = call("plan", tmp_path / "campaign.yaml")
    lines = ended.out.splitlines()
    assert ended.code == 0
    table = [re.split(r"  +", line.strip()) for line in lines[3:9]]
    assert table == [
        ["submit", "4", "new", "$1.00"],
        ["attach", "1", "in flight", "$0.25 spent"],
        ["attach", "1", "unknown: its answer was lost, and it is looked for", "$0.25 spent"],
        ["keep", "1", "done", "$0.25 spent"],
        ["skip", "1", "failed; --retry-failed submits it again", "$0.25 spent"],
        ["in all", "8", "$1.00 to spend, $1.00 spent"],
    ]
    assert len({line.index("$") for line in lines[3:9]}) == 1, "costs stand below each other"
    assert "$2.00 of the budget of $40.00 when done" in lines[-1]


def test_failed_jobs_alone_have_a_next_step(tmp_path):
    made = planned(tmp_path)
    with state_of(made, Status.FAILED):
        pass
    assert "--retry-failed        (nothing else is left to do)" in call("plan", tmp_path / "campaign.yaml").out
    done = planned(tmp_path / "b")
    with state_of(done, Status.SUCCEEDED):
        pass
    assert call("plan", tmp_path / "b" / "campaign.yaml").out.endswith("\nNothing is left to do.\n")


def test_a_state_that_is_no_state(tmp_path):
    path = write_manifest(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "state.sqlite").write_bytes(b"nothing that SQLite knows" * 100)
    ended = call("plan", path, "--json")
    assert ended.code == 7
    assert ended.document["error"]["code"] == "state"


def test_pictures_are_not_in_the_document(tmp_path):
    picture = picture_bytes(3)
    (tmp_path / "p.jpg").write_bytes(picture)
    out = call("plan", write_manifest(tmp_path, images=[{"file": "p.jpg"}]), "--json").out
    assert len(out) < 3000
    assert json.loads(out)["jobs"][0]["payload"]["image"].count(":") == 1


# Changes and orphans


def edited(tmp_path, before, after, *stands):
    """A plan of `after` on a state in which the jobs of `before` were done."""
    made = planned(tmp_path, **before)
    with state_of(made, *(stands or [Status.SUCCEEDED] * len(made.jobs))):
        pass
    return write_manifest(tmp_path, **after)


def test_a_changed_prompt_is_told_word_by_word_and_once_for_jobs_that_changed_alike(tmp_path):
    before = {**SWEEP, "prompts": [{"id": "mood", "text": "Fog drifts over {{ s }}, slow push-in"}]}
    after = {**SWEEP, "prompts": [{"id": "mood", "text": "Mist drifts over {{ s }}, slow orbit left"}]}
    lines = call("plan", edited(tmp_path, before, after)).out.splitlines()
    assert "  submit       4   changed: prompt 'mood'" in lines
    told = lines[lines.index("Changed:") + 1 :][:2]
    assert told == [
        "  p0/mood/s=wet-rock/take-1  (and 3 more, changed alike)",
        "    prompt  [-Fog-]{+Mist+} drifts over wet rock, slow [-push-in-]{+orbit left+}",
    ]


def test_changed_params_and_pictures_are_told_old_and_new(tmp_path):
    before = {"pictures": 2, "images": [{"file": "p0.jpg", "id": "p"}], "params": {"cfg_scale": 0.5}}
    after = {
        "pictures": 2, "images": [{"file": "p1.jpg", "id": "p"}],
        "params": {"cfg_scale": 0.7, "duration": "10", "negative_prompt": "{{ none }}"},
    }  # fmt: skip
    lines = call("plan", edited(tmp_path, before, after)).out.splitlines()
    told = lines[lines.index("Changed:") + 2 :][:4]
    assert told[0] == '    duration         "5" -> "10"'
    assert told[1] == "    cfg_scale        0.5 -> 0.7"
    assert re.fullmatch(r"    image            sha256:[0-9a-f]{12} -> sha256:[0-9a-f]{12}", told[2])
    assert told[3] == '    negative_prompt  "" -> (left out)'


def test_what_did_not_change_is_cut(tmp_path):
    long = "word " * 100
    path = edited(
        tmp_path,
        {"prompts": [{"id": "plain", "text": f"{long}fog {long}"}]},
        {"prompts": [{"id": "plain", "text": f"{long}mist {long}"}]},
    )
    line = next(line for line in call("plan", path).out.splitlines() if line.startswith("    prompt"))
    assert "[-fog-]{+mist+}" in line
    assert len(line) < 120


def test_many_kinds_of_changes_are_cut(tmp_path):
    def arms(word):
        return {"prompts": [{"id": f"a{number}", "text": f"{word}{number} pans"} for number in range(7)]}

    out = call("plan", edited(tmp_path, arms("old"), arms("new"))).out
    assert out.count("    prompt  ") == 5
    assert re.search(r"  \.\.\. 2 more kinds of changes; reelrun plan \S+ --markdown tells of them", out)


def test_colours_only_on_a_terminal(tmp_path):
    path = edited(
        tmp_path, {"prompts": [{"id": "a", "text": "fog pans"}]}, {"prompts": [{"id": "a", "text": "mist pans"}]}
    )
    assert "\x1b" not in call("plan", path).out
    with terminal("plan", path) as screen:
        assert screen.ended() == 0
    assert "\x1b[31m[-fog-]\x1b[0m\x1b[32m{+mist+}\x1b[0m" in screen.seen


def test_orphaned_jobs_are_told_and_listed_on_request(tmp_path):
    path = edited(tmp_path, {"takes": 3}, {"takes": 1}, Status.SUCCEEDED, Status.SUCCEEDED, Status.WAITING)
    out = call("plan", path).out
    assert (
        "  removed      2   no longer in the manifest: 1 waiting, 1 succeeded (what is open is carried through)" in out
    )
    listed = call("plan", path, "--jobs").out
    assert re.search(
        r"^  removed [0-9a-f]{16}  p0/plain/take-2  \(no longer in the manifest: succeeded\)$", listed, re.M
    )


# Selection


def test_jobs_are_chosen_by_variable_and_left_out_by_key(tmp_path):
    path = write_manifest(tmp_path, **SWEEP)
    chosen = call("plan", path, "--where", "s=wet rock", "--skip", "p0/*").out
    assert "(2 submissions)" in chosen
    assert f"reelrun run {path} --skip 'p0/*' --where 's=wet rock'" in chosen
    assert "(4 submissions)" in call("plan", path, "--where", "image=p0").out
    assert "(8 submissions)" in call("plan", path, "--where", "s=wet rock", "--where", "s=warm sand").out


def test_a_condition_that_fits_nothing_shows_a_value_that_would(tmp_path):
    ended = call("plan", write_manifest(tmp_path, **SWEEP), "--where", "s=wet-rock")
    assert ended.code == 2
    assert "--where s=wet-rock matches no job" in ended.err
    assert "did you mean s=wet rock? s is wet rock, warm sand" in ended.err


def test_an_unknown_variable_is_refused(tmp_path):
    ended = call("plan", write_manifest(tmp_path, **SWEEP), "--where", "z=1")
    assert ended.code == 2
    assert "--where names the unknown variable 'z'" in ended.err
    assert "known here: defect, image, model, pick, prompt, s, status, take" in ended.err


# The lockfile


def test_a_plan_is_frozen_and_checked(tmp_path):
    path = write_manifest(tmp_path, **SWEEP)
    ended = call("plan", path, "--lock", "--only", "p0/*")
    written = shown_path(tmp_path / "campaign.lock.json")
    assert (ended.code, ended.err) == (0, f"Wrote {written}: 8 jobs. Commit it.\n")
    assert call("plan", path, "--locked").code == 0
    path.write_text(path.read_text().replace("wet rock", "dry rock"))
    ended = call("plan", path, "--locked", "--json")
    assert ended.code == 2
    assert ended.document["error"]["code"] == "drift"
    assert "job p0/plain/s=dry-rock/take-1 is new (and 3 more)" in ended.err
    assert "reelrun plan " in ended.err


def test_a_run_that_is_locked_refuses_to_start(tmp_path):
    path = write_manifest(tmp_path)
    ended = call("run", path, "--locked", *SANDBOX)
    assert (ended.code, "there is no lockfile campaign.lock.json" in ended.err) == (2, True)
    call("plan", path, "--lock")
    path.write_text(path.read_text() + "takes: 2\n")
    ended = call("run", path, "--locked", *SANDBOX)
    assert (ended.code, "does not fit campaign.yaml any more" in ended.err) == (2, True)
    assert not (tmp_path / "out-sandbox" / "videos").exists()
    call("plan", path, "--lock")
    assert call("run", path, "--locked", *SANDBOX).code == 0


def test_fragments_are_frozen_and_checked(tmp_path):
    (tmp_path / "brand.j2").write_text("{% macro voice(thing) %}a calm {{ thing }}{% endmacro %}")
    text = "{% from 'brand.j2' import voice %}{{ voice('shoe') }} pans"
    path = write_manifest(tmp_path, prompts=[{"id": "plain", "text": text}, {"id": "other", "text": "A shoe pans"}])
    assert call("plan", path, "--lock").code == 0
    files = json.loads((tmp_path / "campaign.lock.json").read_text())["files"]
    assert files["brand.j2"]["kind"] == "fragment"
    assert [call("plan", path, "--locked").code, call("run", path, "--locked", *SANDBOX).code] == [0, 0]
    (tmp_path / "brand.j2").write_text("{% macro voice(thing) %}a warm {{ thing }}{% endmacro %}")
    for words in (("plan", path, "--locked"), ("run", path, "--locked", *SANDBOX)):
        ended = call(*words)
        assert ended.code == 2
        assert "brand.j2 changed" in ended.err
        assert "job p0/plain/take-1 changed: prompt\n" in ended.err


def test_what_buys_nothing_else_is_told_and_refused_where_that_is_asked_for(tmp_path):
    (tmp_path / "a.j2").write_text("A slow pan")
    path = write_manifest(tmp_path, prompts=[{"id": "a", "file": "a.j2"}], budget={"price_per_job": 0.25})
    call("plan", path, "--lock")
    (tmp_path / "a.j2").write_text("A slow pan{# quietly #}")
    for words in (("plan", path), ("run", path, *SANDBOX)):
        told = call(*words, "--locked")
        assert (told.code, "The lockfile differs: a.j2 changed" in told.err) == (0, True)
        refused = call(*words, "--locked-strict")
        assert (refused.code, "a.j2 changed" in refused.err) == (2, True)
    call("plan", path, "--lock")
    path.write_text(path.read_text().replace("0.25", "0.5"))
    dearer = call("run", path, *SANDBOX, "--locked")
    assert (dearer.code, "rose: $0.25 -> $0.50 a job" in dearer.err) == (2, True)


@pytest.mark.parametrize("flag", ["--locked", "--locked-strict"])
def test_what_cannot_be_frozen_and_checked_at_once(tmp_path, flag):
    ended = call("plan", write_manifest(tmp_path), "--lock", flag)
    assert (ended.code, "not allowed with argument" in ended.err) == (2, True)


def test_of_a_manifest_with_errors_the_plan_tells_all_that_validate_tells(tmp_path):
    path = write_manifest(tmp_path, takes=0, paramz={"duration": 5}, params={"duration": 5})
    ended = call("plan", path)
    assert (ended.code, ended.out) == (2, "")
    for code in ("E201", "E204", "E205"):
        assert ended.err.count(f"error[{code}]") == call("validate", path).err.count(f"error[{code}]") == 1


def test_prompts_are_read_before_they_are_paid_for(tmp_path):
    before = {"prompts": [{"id": "a", "text": "fog\n{{ s }} pans"}], "matrix": {"s": ["x", "y"]}, "takes": 2}
    after = {**before, "prompts": [{"id": "a", "text": "mist\n{{ s }} pans"}], "matrix": {"s": ["x", "z"]}}
    path = edited(tmp_path, before, after)
    out = call("plan", path, "--prompts").out
    start = out.index("2 distinct texts:")
    assert out[start:].splitlines()[:11] == [
        "2 distinct texts:",
        "",
        "  mist",
        "  x pans",
        "    prompt of 2 jobs, 2 to submit: p0/a/s=x/take-1, p0/a/s=x/take-2",
        "    before: [-fog-]{+mist+}\\nx pans",
        "",
        "  mist",
        "  z pans",
        "    prompt of 2 jobs, 2 to submit: p0/a/s=z/take-1, p0/a/s=z/take-2",
        "",
    ]


def test_many_jobs_of_a_prompt_are_listed_on_request(tmp_path):
    path = write_manifest(tmp_path, prompts=[{"id": "a", "text": "pan"}], takes=7)
    told = call("plan", path, "--prompts").out
    assert re.search(rf"a/take-5 and 2 more; reelrun plan \S*{path.name} --prompts --jobs lists all", told)
    assert "p0/a/take-6, p0/a/take-7\n" in call("plan", path, "--prompts", "--jobs").out


def test_prompts_in_the_document(tmp_path):
    path = write_manifest(tmp_path, **SWEEP)
    assert "prompts" not in call("plan", path, "--json").document
    prompts = call("plan", path, "--json", "--prompts").document["prompts"]
    assert [each["text"] for each in prompts] == ["wet rock", "warm sand", "Fog, wet rock", "Fog, warm sand"]
    assert prompts[0] == {
        "name": "prompt",
        "text": "wet rock",
        "jobs": ["p0/plain/s=wet-rock/take-1", "p1/plain/s=wet-rock/take-1"],
        "submit": 2,
        "former": [],
    }


def test_what_is_set_is_told(tmp_path):
    path = write_manifest(tmp_path, prompts=[{"id": "a", "text": "{{ s }}"}], vars={"s": "spring"})
    assert "set" not in call("plan", path, "--json").document
    document = call("plan", path, "--json", "--set", "s=late fall").document
    assert (document["set"], document["jobs"][0]["payload"]["prompt"]) == ({"s": "late fall"}, "late fall")
    ended = call("plan", path, "--set", "s=late fall")
    assert ended.out.startswith(f"test · {MODEL} · --set 's=late fall'\n")
    assert f"Next: reelrun run {path} --set 's=late fall' " in ended.out
    assert "--set 's=late fall'" in call("plan", path, "--set", "s=late fall", "--markdown").out.splitlines()[0]
