"""`compare` over campaigns whose clips reviewers have voted on."""

import hashlib
import json
import random
from itertools import product

import pytest

from runner.cli.main import main
from runner.state.store import Store
from runner.verdicts.verdict import Mark, Marking, Pair, Stars, Undo, Winner
from runner.verdicts.verdict_files import folder_of
from tests.kit import register, write_manifest
from tests.review.clips import finished, say

ROW = ("votes", "wins", "losses", "ties", "both_bad", "strength", "low", "high", "best")


def answer(capsys, *arguments):
    code = main(["compare", *map(str, arguments), "--json"])
    return code, json.loads(capsys.readouterr().out)


def cells(jobs, by=lambda job: job.prompt_id):
    """Jobs by picture, what is compared, and take."""
    return {(job.image, by(job), job.take): job for job in jobs}


def pair(left, right, winner=Winner.LEFT, **more):
    return (left, right), Pair(left.id, right.id, winner, **more)


def vote(manifest, jobs, by="ann", share=0.9, seed=1, pictures=12, takes=(1, 2)):
    """A reviewer on every picture and take, who prefers mood so often."""
    chance, at = random.Random(seed), cells(jobs)
    said = []
    for picture, take in product(range(pictures), takes):
        sides = [at[f"p{picture}", name, take] for name in ("plain", "mood")]
        chance.shuffle(sides)
        preferred = "mood" if chance.random() < share else "plain"
        said.append(pair(*sides, Winner.LEFT if sides[0].prompt_id == preferred else Winner.RIGHT))
    say(manifest, by, said)


@pytest.fixture(scope="module")
def campaign(tmp_path_factory):
    """24 pictures, two prompts, two takes; nobody has voted."""
    return finished(tmp_path_factory.mktemp("campaign"), pictures=12, takes=2, side=300)


@pytest.fixture
def board(campaign, tmp_path):
    """The same with an empty folder of verdicts."""
    manifest, jobs = campaign
    for file in folder_of(manifest).glob("*"):
        file.unlink()
    return manifest, jobs


def test_the_document_is_that_of_the_contract(board, capsys):
    manifest, jobs = board
    vote(manifest, jobs, "ann", 1.0)
    vote(manifest, jobs, "bob", 1.0, seed=2)
    code, found = answer(capsys, manifest)
    assert code == 0
    assert list(found) == [
        *("manifest", "by", "question", "on", "unit", "arms", "pairs"),
        *("agreement", "noise", "side", "measures", "warnings", "stale"),
    ]
    assert (found["manifest"], found["by"], found["question"]) == (str(manifest), "prompt", "better")
    assert (found["on"], found["unit"], found["stale"]) == ("votes", "image", 0)
    plain, mood = found["arms"]
    assert tuple(plain) == ("name", *ROW)
    assert (plain["name"], plain["votes"], plain["wins"], plain["losses"]) == ("plain", 48, 0, 48)
    assert (mood["name"], mood["wins"], mood["ties"], mood["both_bad"]) == ("mood", 48, 0, 0)
    (row,) = found["pairs"]
    assert list(row) == ["a", "b", "votes", "images", "share", "low", "high", "verdict", "more_images"]
    assert (row["a"], row["b"], row["votes"], row["images"]) == ("plain", "mood", 48, 12)
    assert (row["share"], row["verdict"], row["more_images"]) == (0.0, "worse", None)
    assert found["agreement"]["reviewers"] == 2
    assert found["measures"] == found["warnings"] == []


def test_the_screen_says_it_in_a_sentence_a_pair(board, capsys):
    manifest, jobs = board
    vote(manifest, jobs, "ann", 1.0)
    assert main(["compare", str(manifest)]) == 0
    told = capsys.readouterr().out
    assert "test · prompt: 2 arms\nmood wins.\n" in told
    assert "mood is better than plain: 100 % for mood on 12 images (" in told
    assert next(line.split()[:3] for line in told.splitlines() if line.startswith("  mood")) == ["mood", "24", "24"]


def test_without_votes_it_says_how_to_get_some(board, capsys):
    manifest, _ = board
    assert main(["compare", str(manifest)]) == 0
    told = capsys.readouterr().out
    assert "There are no votes to compare the arms by." in told
    assert f"\n\nNext: reelrun review {manifest}" in told
    assert answer(capsys, manifest)[1]["pairs"][0] == {
        "a": "plain",
        "b": "mood",
        "votes": 0,
        "images": 0,
        "share": None,
        "low": None,
        "high": None,
        "verdict": "not-enough",
        "more_images": None,
    }


def test_few_votes_are_not_enough_and_it_says_how_many_more_would_be(board, capsys):
    manifest, jobs = board
    vote(manifest, jobs, share=1.0, pictures=4, takes=(1,))
    _, found = answer(capsys, manifest)
    row = found["pairs"][0]
    assert (row["verdict"], row["images"], row["share"]) == ("not-enough", 4, 0.0)
    assert 5 <= row["more_images"] <= 20
    assert [each["code"] for each in found["warnings"]] == ["few-images"]
    main(["compare", str(manifest)])
    assert f"about {row['more_images']} more images would tell." in capsys.readouterr().out


def test_only_the_selected_clips_count(board, capsys):
    manifest, jobs = board
    vote(manifest, jobs)
    _, found = answer(capsys, manifest, "--where", "take=1", "--skip", "p0/*")
    assert (found["arms"][0]["votes"], found["pairs"][0]["images"]) == (11, 11)


def test_order_repetition_and_undo_of_lines_change_nothing(board, capsys):
    manifest, jobs = board
    vote(manifest, jobs)
    file = folder_of(manifest) / "ann.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    _, first = answer(capsys, manifest)
    random.Random(1).shuffle(lines)
    file.write_bytes(b"".join([*lines, *lines[:7]]))
    assert answer(capsys, manifest)[1] == first
    at = cells(jobs)
    (line,) = say(manifest, "bob", [pair(at["p0", "plain", 1], at["p0", "mood", 1])])
    assert answer(capsys, manifest)[1] != first
    say(manifest, "bob", [((), Undo(hashlib.sha256(line).hexdigest()))])
    assert answer(capsys, manifest)[1] == first


def test_votes_between_takes_are_noise_and_others_that_differ_in_more_are_told(board, capsys):
    manifest, jobs = board
    at = cells(jobs)
    takes = [pair(at[f"p{k}", "mood", 2], at[f"p{k}", "mood", 1], Winner.RIGHT) for k in range(8)]
    tie = pair(at["p0", "plain", 1], at["p0", "plain", 2], Winner.TIE)
    say(manifest, "ann", [*takes, tie, pair(at["p0", "plain", 1], at["p1", "mood", 1])])
    _, found = answer(capsys, manifest)
    assert found["noise"] == {"votes": 9, "share": 1.0, "p": pytest.approx(2 / 2**8, abs=1e-6)}
    assert found["arms"][0]["votes"] == 0
    assert [each["code"] for each in found["warnings"]] == ["confounded"]
    assert found["warnings"][0]["message"] == "1 pair differs in more than prompt and take, and did not count"


def test_verdicts_on_other_clips_are_stale_and_broken_lines_are_told(board, capsys):
    manifest, jobs = board
    vote(manifest, jobs, share=1.0)
    at = cells(jobs)
    say(manifest, "bob", [pair(at["p0", "plain", 1], at["p0", "mood", 1])], sha256=lambda job: "0" * 64)
    with (folder_of(manifest) / "bob.jsonl").open("ab") as file:
        file.write(b"no verdict\n")
    _, found = answer(capsys, manifest)
    assert found["stale"] == 1
    assert found["warnings"] == [
        {"code": "stale", "message": "1 verdict is about clips that were replaced since, and not counted"}
    ]
    main(["compare", str(manifest)])
    assert "Not counted: bob.jsonl:2: it is not JSON" in capsys.readouterr().err


def test_sides_are_told_from_pairs(board, capsys):
    manifest, jobs = board
    at = cells(jobs)
    names = ("plain", "mood")
    said = [pair(at[f"p{k}", names[k % 2], t], at[f"p{k}", names[1 - k % 2], t]) for k in range(12) for t in (1, 2)]
    say(manifest, "ann", said)
    _, found = answer(capsys, manifest)
    assert found["side"] == {"share": 1.0, "p": pytest.approx(2 / 2**24, abs=1e-6)}
    assert (found["pairs"][0]["share"], found["arms"][0]["strength"]) == (0.5, 0.0)
    assert [each["code"] for each in found["warnings"]] == ["side-bias"]
    main(["compare", str(manifest)])
    assert "The left side won 100 % of all decided votes." in capsys.readouterr().out


def test_stars_picks_and_measures_give_votes_by_the_same_machinery(tmp_path, capsys):
    def measure(job):
        return {"motion": 0.2 + 0.01 * job.take + (0.1 if job.prompt_id == "mood" else 0.0)}

    manifest, jobs = finished(tmp_path, measure, pictures=10, takes=2)
    for job in jobs:
        is_mood = job.prompt_id == "mood"
        say(manifest, "ann", [((job,), Stars(job.id, 4 if is_mood else 3))])
        say(manifest, "ann", [((job,), Mark(job.id, Marking.PICK if is_mood and job.take == 1 else Marking.NONE))])
    _, stars = answer(capsys, manifest, "--on", "stars")
    assert (stars["pairs"][0]["verdict"], stars["arms"][1]["wins"], stars["agreement"]["reviewers"]) == ("worse", 40, 1)
    _, picks = answer(capsys, manifest, "--on", "picks")
    assert (picks["pairs"][0]["share"], picks["arms"][1]["wins"]) == (0.0, 20)
    _, motion = answer(capsys, manifest, "--on", "measure:motion")
    assert (motion["on"], motion["pairs"][0]["verdict"], motion["question"]) == ("measure:motion", "worse", None)
    row = next(each for each in stars["measures"] if (each["name"], each["arm"]) == ("motion", "mood"))
    assert (row["effect"], row["agrees"]) == (pytest.approx(0.1), 1.0)
    assert row["noise"] == pytest.approx(0.01 / 2**0.5, rel=1e-3)
    main(["compare", str(manifest), "--on", "stars"])
    told = capsys.readouterr().out
    assert "  motion: mood has 0.1 more, 14.1 times the noise between takes; more of it won 100 % of the votes." in told
    code, wrong = answer(capsys, manifest, "--on", "measure:moton")
    assert (code, wrong["error"]["hint"]) == (2, "did you mean 'measure:motion'?")


def test_what_is_compared_is_found_or_asked_for(tmp_path, capsys):
    one = [{"id": "plain", "text": "A {{ move }} in {{ light }}"}]
    manifest, _ = finished(tmp_path, prompts=one, matrix={"move": ["push", "pan"], "light": ["day", "night", "fog"]})
    code, found = answer(capsys, manifest)
    assert (code, found["error"]["hint"]) == (2, "write --by move or --by light")
    _, found = answer(capsys, manifest, "--by", "light")
    assert [each["name"] for each in found["arms"]] == ["day", "night", "fog"]
    assert [(each["a"], each["b"]) for each in found["pairs"]] == [("day", "night"), ("day", "fog"), ("night", "fog")]
    code, found = answer(capsys, manifest, "--by", "image")
    assert (code, found["error"]["message"]) == (2, "--by 'image' names nothing that has arms")


def test_one_arm_cannot_be_compared(tmp_path, capsys):
    manifest, _ = finished(tmp_path, prompts=[{"id": "plain", "text": "A push"}])
    code, found = answer(capsys, manifest)
    assert (code, found["error"]["message"]) == (2, "there is one prompt, one model and no axis")


def test_arms_that_render_to_one_request_are_told(tmp_path, capsys):
    prompts = [{"id": "plain", "text": "A push"}, {"id": "same", "text": "A push"}, {"id": "mood", "text": "Fog"}]
    manifest, jobs = finished(tmp_path, prompts=prompts, pictures=2)
    at = cells(jobs)
    say(manifest, "ann", [pair(at["p0", "plain", 1], at["p0", "mood", 1])])
    _, found = answer(capsys, manifest)
    assert [(each["name"], each["votes"]) for each in found["arms"]] == [("plain", 1), ("same", 0), ("mood", 1)]
    assert found["warnings"][-1] == {
        "code": "confounded",
        "message": "some cells of same render to the same request as plain: votes count for plain",
    }


def test_without_pictures_the_unit_is_the_variant(tmp_path, capsys):
    model = "vidu-q3-pro-t2v"
    prompts = [{"id": "plain", "text": "A {{ move }}"}, {"id": "mood", "text": "Fog, a {{ move }}"}]
    moves = [f"move {k}" for k in range(10)]
    manifest, jobs = finished(
        tmp_path, model=model, models={model: {"images": "none"}}, prompts=prompts, matrix={"move": moves}
    )
    at = {(job.variables["move"], job.prompt_id): job for job in jobs}
    say(manifest, "ann", [pair(at[move, "mood"], at[move, "plain"]) for move in moves])
    _, found = answer(capsys, manifest)
    assert (found["unit"], found["pairs"][0]["images"], found["pairs"][0]["verdict"]) == ("variant", 10, "worse")


def test_no_state_is_an_error_that_says_what_makes_one(tmp_path, capsys):
    code, found = answer(capsys, write_manifest(tmp_path))
    assert (code, "no state" in found["error"]["message"]) == (7, True)


def test_an_arm_that_goes_otherwise_for_some_pictures_is_told(tmp_path, capsys):
    images = [{"file": f"p{k}.jpg", "vars": {"product": ("shoe", "bag")[k % 2]}} for k in range(16)]
    manifest, jobs = finished(tmp_path, pictures=16, images=images)
    at = cells(jobs)
    said = [pair(at[f"p{k}", ("plain", "mood")[k % 2], 1], at[f"p{k}", ("mood", "plain")[k % 2], 1]) for k in range(16)]
    say(manifest, "ann", said)
    main(["compare", str(manifest)])
    assert "plain or mood: 100 % for plain where product is shoe, 0 % elsewhere." in capsys.readouterr().out


def test_votes_on_clips_that_the_manifest_no_longer_has_do_not_count(tmp_path, capsys):
    manifest, jobs = finished(tmp_path, pictures=2)
    at = cells(jobs)
    say(
        manifest,
        "ann",
        [pair(at["p0", "plain", 1], at["p0", "mood", 1]), pair(at["p1", "mood", 1], at["p1", "plain", 1])],
    )
    with Store.open(tmp_path / "out" / "state.sqlite") as store, store.seen_from(manifest), store.transaction():
        register(store, [job for job in jobs if job.key != "p0/mood/take-1"], "later")
    _, found = answer(capsys, manifest)
    assert found["arms"][0]["votes"] == 1
    assert found["warnings"][-1] == {
        "code": "stale",
        "message": "1 vote is on clips that the manifest no longer has, and did not count",
    }


def test_a_selection_that_matches_nothing_is_an_error(board, capsys):
    code, found = answer(capsys, board[0], "--only", "nothing/*")
    assert (code, "nothing/*" in found["error"]["message"]) == (2, True)
