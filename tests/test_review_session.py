"""A reviewer's session: what is shown, what is on the disk, what is taken back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from runner.review.clips.reviewed_clips import ReviewedClip
from runner.review.session import Desk, Document, Session
from runner.verdicts.verdict import Pair, VerdictError, Winner
from runner.verdicts.verdict_files import append, file_of, folder_of
from tests.finished_clips import clips_of, finished_campaign


@pytest.fixture(scope="module")
def campaign(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures by two arms, two takes of each."""
    return finished_campaign(tmp_path_factory.mktemp("campaign"), pictures=2, takes=2)


@pytest.fixture(scope="module")
def clips(campaign: Path) -> tuple[ReviewedClip, ...]:
    return clips_of(campaign)


@pytest.fixture
def desk(clips: tuple[ReviewedClip, ...], tmp_path: Path) -> Desk:
    return Desk(clips, folder_of(tmp_path / "campaign.yaml"), "ann", b"secret", ("flicker", "label warped"))


def told(desk: Desk) -> tuple[Session, list[str]]:
    said: list[str] = []
    return Session(desk, said.append), said


def lines(desk: Desk, by: str = "ann") -> list[Document]:
    path = file_of(desk.folder, by)
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def names(shown: Document, which: str = "pair") -> list[str]:
    pair = shown[which]
    assert isinstance(pair, dict)
    return [pair["left"]["name"], pair["right"]["name"]]


def vote(shown: Document, winner: str = "left", **more: object) -> Document:
    left, right = names(shown)
    return {"kind": "pair", "left": left, "right": right, "winner": winner, "reasons": [], "seconds": 1.5, **more}


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [each for pair in value.items() for item in pair for each in strings(item)]
    if isinstance(value, list):
        return [each for item in value for each in strings(item)]
    return [str(value)]


def test_a_vote_is_on_the_disk_when_the_next_pair_is_told(desk: Desk) -> None:
    session, _ = told(desk)
    shown = session.pairs()
    following = session.say(vote(shown, "right", reasons=["flicker"], seconds=2.25))
    (line,) = lines(desk)
    clips = [session.names.clips[name] for name in names(shown)]
    assert line.pop("at")
    assert line == {
        "v": 1,
        "by": "ann",
        "kind": "pair",
        "left": clips[0].job,
        "right": clips[1].job,
        "winner": "right",
        "question": "better",
        "reasons": ["flicker"],
        "seconds": 2.25,
        "blind": True,
        "sha256": {clip.job: clip.sha256 for clip in clips},
    }
    assert names(following) == names(shown, "ahead")
    assert following["judged"] == 1


def test_a_pair_tells_nothing_of_what_it_is(desk: Desk) -> None:
    session, _ = told(desk)
    known = {
        each
        for clip in desk.clips
        for each in (clip.job, clip.key, clip.image, str(clip.path), clip.path.name, clip.sha256, str(clip.bytes))
    } | {"plain", "mood"}
    shown = session.pairs()
    assert not known & set(strings(shown))
    assert set(strings(shown["pair"])) == {
        "left",
        "right",
        "name",
        "fps",
        "is_still",
        "flashes",
        "8.0",
        "False",
        *names(shown),
    }


def test_names_are_those_of_one_sitting(desk: Desk) -> None:
    first, again = Session(desk, print), Session(desk, print)
    other = Session(replace(desk, secret=b"another"), print)
    assert first.names.clips.keys() == again.names.clips.keys()
    assert not first.names.clips.keys() & other.names.clips.keys()
    assert first.pairs() == again.pairs()


def test_a_vote_that_is_sent_twice_is_written_once(desk: Desk) -> None:
    session, _ = told(desk)
    sent = vote(session.pairs())
    following = session.say(sent)
    assert session.say(sent) == following
    # After a restart, too.
    assert Session(desk, print).say(sent) == following
    assert len(lines(desk)) == 1


def test_taken_back_it_is_asked_again(desk: Desk) -> None:
    session, _ = told(desk)
    first = session.pairs()
    assert session.undo("pairs") == {"undone": None}
    session.say(vote(first))
    undone = session.undo("pairs")
    assert undone["undone"] == vote(first, question="better", blind=True, reasons=())
    assert names(undone) == names(first)
    assert undone["judged"] == 0
    assert [line["kind"] for line in lines(desk)] == ["pair", "undo"]
    session.say(vote(first, "tie"))
    assert lines(desk)[-1]["winner"] == "tie"


def test_what_was_said_before_the_sitting_is_not_taken_back(desk: Desk) -> None:
    session, _ = told(desk)
    session.say(vote(session.pairs()))
    later = Session(replace(desk, since="2999-01-01T00:00:00.000000Z"), print)
    assert later.undo("pairs") == {"undone": None}


def test_what_others_say_meanwhile_counts(desk: Desk) -> None:
    session, _ = told(desk)
    shown = session.pairs()
    left, right = (session.names.clips[name] for name in names(shown, "ahead"))
    append(desk.folder, "bob", Pair(left.job, right.job, Winner.TIE), {left.job: left.sha256, right.job: right.sha256})
    following = session.say(vote(shown))
    assert set(names(following)) != set(names(shown, "ahead"))


def test_all_pairs_then_none(desk: Desk) -> None:
    session, _ = told(desk)
    shown, count = session.pairs(), 0
    while shown["pair"] is not None:
        shown, count = session.say(vote(shown)), count + 1
    # Of each picture four pairs of arms and two of takes; some come twice.
    assert (shown["judged"], shown["left"]) == (12, 0)
    assert count >= 12


def test_a_clip_that_is_another_by_now_is_not_shown(tmp_path: Path) -> None:
    clips = clips_of(finished_campaign(tmp_path, pictures=1, takes=1))
    session, said = told(Desk(clips, folder_of(tmp_path / "campaign.yaml"), "ann", b"secret"))
    shown = session.pairs()
    clips[0].path.write_bytes(b"another")
    assert session.pairs()["pair"] is None
    assert said == [f"not shown: {clips[0].key}: its clip is gone or changed"]
    with pytest.raises(VerdictError, match="not of this page"):
        session.say(vote(shown))


def wrong(shown: Document, session: Session) -> Sequence[tuple[str, Document]]:
    left = names(shown)[0]
    job = session.names.clips[left].job
    foreign = next(n for n, c in session.names.clips.items() if c.image != session.names.clips[left].image)
    return [
        ("not of this page", vote(shown, left=job)),
        ("not of this page", vote(shown, left="../../etc/passwd")),
        ("not of this page", vote(shown, left=7)),
        ("both clips of the pair are one", vote(shown, right=left)),
        ("not compared", vote(shown, right=foreign)),
        ("none of left, right", vote(shown, "neither")),
        ("reason that the manifest does not have", vote(shown, reasons=["bribed"])),
        ("is no number", vote(shown, seconds=float("nan"))),
        ("pair has no member", vote(shown, path="x")),
        ("taken back", {"kind": "undo", "line": "0" * 64}),
        ("takes of one cell", {"kind": "best", "of": [left, foreign], "best": left, "worst": None}),
        ("its kind is none of", {"kind": "hello"}),
    ]


def test_what_is_no_verdict_is_not_written(desk: Desk) -> None:
    session, _ = told(desk)
    shown = session.pairs()
    for words, document in wrong(shown, session):
        with pytest.raises(VerdictError, match=words):
            session.say(document)
    assert lines(desk) == []


def test_marks_and_stars_are_shown_as_they_stand(desk: Desk) -> None:
    session, _ = told(desk)
    first, second = list(session.names.clips)[:2]
    session.say({"kind": "mark", "job": first, "mark": "pick"})
    session.say({"kind": "mark", "job": first, "mark": "reject"})
    session.say({"kind": "stars", "job": second, "stars": 4})
    shown = session.cull()["clips"]
    assert isinstance(shown, list)
    standing = {each["name"]: (each["mark"], each["stars"]) for each in shown}
    assert (standing[first], standing[second]) == (("reject", None), (None, 4))
    assert [each["key"] for each in shown] == [clip.key for clip in desk.clips]
    assert session.undo("cull")["undone"] == {"kind": "stars", "job": second, "stars": 4}
    assert session.undo("cull")["undone"] == {"kind": "mark", "job": first, "mark": "reject"}
    assert session.cull()["clips"][0]["mark"] == "pick"  # type: ignore[index]


def test_the_best_of_the_takes(desk: Desk) -> None:
    session, _ = told(desk)
    groups = session.best()["groups"]
    assert isinstance(groups, list)
    assert [len(each["of"]) for each in groups] == [2, 2, 2, 2]
    of = [each["name"] for each in groups[0]["of"]]
    session.say({"kind": "best", "of": of, "best": of[1], "worst": of[0]})
    assert session.best()["groups"][0] | {"of": of} == {"of": of, "best": of[1], "worst": of[0]}  # type: ignore[index]
    assert lines(desk)[0]["best"] == session.names.clips[of[1]].job
    assert session.undo("best")["undone"] == {"kind": "best", "of": of, "best": of[1], "worst": of[0]}


def test_a_note_is_text_whatever_it_holds(desk: Desk) -> None:
    session, _ = told(desk)
    name = names(session.pairs())[0]
    text = "<script>alert(1)</script>\n=1+1\u202e"
    session.say({"kind": "note", "job": name, "time": 1.25, "text": text})
    assert (lines(desk)[0]["text"], len(lines(desk))) == (text, 1)
    with pytest.raises(VerdictError, match="64 KiB"):
        session.say({"kind": "note", "job": name, "time": 1.25, "text": "x" * 70_000})
