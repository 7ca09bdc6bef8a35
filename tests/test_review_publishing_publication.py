"""Publishing: what is written, what is left alone, and what is there after a crash."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import signal
import sys
import zipfile
from pathlib import Path

import pytest

from runner.errors import Exit
from runner.planning.selection import EVERYTHING
from runner.results.atomic_files import index_path
from runner.review.publishing.places.published_place import bytes_of
from runner.review.publishing.publication import publish as publish_picks
from runner.review.publishing.publish_order import PublishOrder
from runner.state.store import Store
from runner.verdicts.verdict import Marking
from tests.command import call
from tests.delivered import clip_bytes, deliver, mark
from tests.kit import write_manifest


def written(folder, **keys):
    return write_manifest(
        folder,
        pictures=3,
        takes=2,
        budget={"price_per_job": 0.25},
        vars={"season": "spring"},
        images=[{"file": f"p{number}.jpg", "vars": {"product": f"Shoe {number}"}} for number in range(3)],
        prompts=[{"id": "plain", "text": "A slow push-in on the {{ product }} of {{ season }}"}],
        **keys,
    )


@pytest.fixture
def campaign(tmp_path):
    """A manifest with six clips, of which the first takes are picked."""
    manifest, jobs = deliver(written(tmp_path), [clip_bytes(seed) for seed in range(6)])
    for job in jobs[::2]:
        mark(manifest, job)
    return manifest, jobs


def publish(manifest, *words):
    return call("publish", manifest.path, "--to", manifest.path.parent / "to", *words)


def tree(folder):
    """Every file below a folder, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def stamps(folder):
    return {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(folder.rglob("*"))}


def test_picks_are_copied_with_a_list_and_a_page(campaign, tmp_path):
    manifest, jobs = campaign
    before = tree(manifest.output.dir)
    ended = publish(manifest, "--json")
    assert ended.code == 0, ended.err
    to = tmp_path / "to"
    names = [f"p{number}/plain/take-1.mp4" for number in range(3)]
    assert list(tree(to)) == sorted([*names, "index.html", "published.csv", "published.json"])
    document = json.loads((to / "published.json").read_text())
    assert (document["version"], document["manifest"]) == (1, {"name": "test", "file": "campaign.yaml"})
    for number, clip in enumerate(document["clips"]):
        content = clip_bytes(number * 2)
        job = jobs[number * 2]
        assert (to / clip["path"]).read_bytes() == content
        assert clip == {
            "path": names[number],
            "sha256": hashlib.sha256(content).hexdigest(),
            "source_sha256": hashlib.sha256(content).hexdigest(),
            "job": job.id,
            "key": job.key,
            "request_id": f"request-{number * 2}",
            "model": job.model,
            "prompt": "plain",
            "image": f"p{number}",
            "cost": 0.25,
            "picked_by": ["ann"],
        }
    rows = list(csv.DictReader((to / "published.csv").read_text().splitlines()))
    assert [row["path"] for row in rows] == names
    assert list(rows[0]) == list(document["clips"][0])
    page = (to / "index.html").read_text()
    assert [f'src="./p{number}/plain/take-1.mp4"' in page for number in range(3)] == [True] * 3
    assert str(tmp_path) not in page + (to / "published.json").read_text()
    assert tree(manifest.output.dir) == before, "what was delivered is not touched"
    assert ended.document["clips"] == 3
    assert sorted(ended.document["written"]) == sorted(tree(to))


def test_a_second_publish_writes_nothing(campaign, tmp_path):
    manifest, _ = campaign
    words = ("--zip", tmp_path / "all.zip", "--mark", "--certificate", "self", "--edl", tmp_path / "to/cut.edl")
    assert publish(manifest, *words).code == 0
    before, archive = stamps(tmp_path / "to"), stamps(tmp_path)[tmp_path / "all.zip"]
    ended = publish(manifest, "--json", *words)
    assert (ended.code, ended.document["written"], ended.document["removed"]) == (0, [], [])
    assert stamps(tmp_path / "to") == before
    assert stamps(tmp_path)[tmp_path / "all.zip"] == archive
    assert "all as they were" in publish(manifest, *words).out


def test_what_is_no_longer_picked_is_removed(campaign, tmp_path):
    manifest, jobs = campaign
    publish(manifest)
    mark(manifest, jobs[0], said=Marking.NONE)
    mark(manifest, jobs[1])
    ended = publish(manifest, "--json")
    assert (ended.code, ended.document["removed"]) == (0, ["p0/plain/take-1.mp4"])
    assert [each for each in tree(tmp_path / "to") if each.startswith("p0")] == ["p0/plain/take-2.mp4"]
    for job in (jobs[1], jobs[2], jobs[4]):
        mark(manifest, job, said=Marking.NONE)
    ended = publish(manifest)
    assert ended.code == 0
    assert "Nothing is picked." in ended.out
    assert "Next: reelrun review" in ended.out
    # Empty folders go with their last clip.
    assert sorted(each.name for each in (tmp_path / "to").iterdir()) == [
        "index.html",
        "published.csv",
        "published.json",
    ]


def test_what_is_picked_and_not_chosen_this_time_stays(campaign, tmp_path):
    manifest, _ = campaign
    assert publish(manifest).code == 0
    assert publish(manifest, "--only", "p0/*").code == 0
    assert sorted(each.name for each in (tmp_path / "to").iterdir() if each.is_dir()) == ["p0", "p1", "p2"]


def test_a_folder_of_another_manifest_is_refused(campaign, tmp_path):
    manifest, _ = campaign
    assert publish(manifest).code == 0
    before = tree(tmp_path / "to")
    shutil.copy(manifest.path, tmp_path / "other.yaml")
    ended = call("publish", tmp_path / "other.yaml", "--to", tmp_path / "to")
    assert ended.code == 2
    assert f"has what {manifest.path.name} published" in ended.err
    assert tree(tmp_path / "to") == before


def test_a_sheet_is_no_clip(campaign, tmp_path):
    ended = publish(campaign[0], "--sheet", tmp_path / "to/p0/plain/take-1.mp4")
    assert (ended.code, (tmp_path / "to").exists()) == (2, False)


def test_what_somebody_edited_is_left_and_told(campaign, tmp_path):
    manifest, jobs = campaign
    publish(manifest)
    first, second = (tmp_path / f"to/p{number}/plain/take-1.mp4" for number in range(2))
    first.write_bytes(b"mine")
    second.write_bytes(b"mine, too")
    mark(manifest, jobs[0], said=Marking.NONE)
    for _ in range(2):
        ended = publish(manifest, "--json")
        assert (ended.code, ended.document["removed"]) == (Exit.JOBS_FAILED, [])
        assert sorted(ended.document["edited"]) == ["p0/plain/take-1.mp4", "p1/plain/take-1.mp4"]
    assert (first.read_bytes(), second.read_bytes()) == (b"mine", b"mine, too")
    # The list says what was written, so that a change can be seen.
    listed = json.loads((tmp_path / "to/published.json").read_text())["clips"]
    assert [each["sha256"] for each in listed] == [hashlib.sha256(clip_bytes(seed)).hexdigest() for seed in (2, 4)]
    ended = publish(manifest)
    assert "Left as it is: p1/plain/take-1.mp4" in ended.err
    first.unlink()
    second.unlink()
    assert publish(manifest, "--json").document["written"] == ["p1/plain/take-1.mp4", "published.json"]


def test_what_others_made_is_not_touched(campaign, tmp_path):
    manifest, _ = campaign
    to = tmp_path / "to"
    (to / "p0/plain").mkdir(parents=True)
    foreign = {"p0/plain/take-1.mp4": b"theirs", "p0/plain/notes.txt": b"x", "index.html": b"<p>", "other.mp4": b"y"}
    for path, content in foreign.items():
        (to / path).write_bytes(content)
    (to / "p1").symlink_to(tmp_path)
    ended = publish(manifest, "--json", "--skip", "p1/*")
    assert ended.code == Exit.JOBS_FAILED
    assert sorted(ended.document["edited"]) == ["index.html", "p0/plain/take-1.mp4"]
    assert {path: (to / path).read_bytes() for path in foreign} == foreign
    # A link that leads out of the folder is not followed.
    ended = publish(manifest)
    assert ended.code == Exit.UNAVAILABLE
    assert "leads out of" in ended.err
    assert not (tmp_path / "plain").exists()


def test_names_by_template(campaign, tmp_path):
    manifest, jobs = campaign
    ended = publish(manifest, "--name", "{{ season }}/{{ product | slug }}_{{ image.width }}-{{ take }}")
    assert ended.code == 0, ended.err
    assert [each for each in tree(tmp_path / "to") if each.endswith("mp4")] == [
        f"spring/shoe-{number}_320-1.mp4" for number in range(3)
    ]
    assert publish(manifest, "--name", "{{ image.id | upper }}").code == 0
    assert [each for each in tree(tmp_path / "to") if each.endswith("mp4")] == ["P0.mp4", "P1.mp4", "P2.mp4"]
    mark(manifest, jobs[1])
    before = tree(tmp_path / "to")
    for template, told in (
        ("{{ image.id }}", "2 clips would have the name p0.mp4: p0/plain/take-1 and p0/plain/take-2"),
        ("{% if take == 1 %}{{ image.id }}{% else %}{{ image.id | upper }}{% endif %}", "2 clips would have the name"),
        ("../{{ image.id }}", "must not contain"),
        ("{{ nope }}", "unknown variable 'nope'"),
        ("{{ image.id", "--name {{ image.id"),
    ):
        ended = publish(manifest, "--name", template)
        assert (ended.code, told in ended.err) == (Exit.INVALID, True), ended.err
    assert tree(tmp_path / "to") == before


def test_a_missing_or_changed_clip_publishes_nothing(campaign, tmp_path):
    manifest, jobs = campaign
    first, second = (manifest.output.dir / f"videos/{job.output}.mp4" for job in (jobs[0], jobs[2]))
    first.unlink()
    second.write_bytes(second.read_bytes()[:-1] + b"x")
    # The verdicts were about what was there.
    ended = publish(manifest)
    assert ended.code == Exit.JOBS_FAILED
    assert f"{first} is not there; {second} was changed since it was delivered" in ended.err
    assert "verify MANIFEST --repair" in ended.err
    assert not (tmp_path / "to").exists()


def test_nothing_is_picked(tmp_path):
    manifest, jobs = deliver(written(tmp_path), [clip_bytes(1)])
    extras = [word for flag, name in EXTRAS for word in (flag, tmp_path / name)]
    ended = publish(manifest, *extras)
    assert (ended.code, "Nothing is picked, and nothing was written." in ended.out) == (0, True)
    assert not (tmp_path / "to").exists()
    mark(manifest, jobs[0])
    assert publish(manifest).code == 0
    mark(manifest, jobs[0], said=Marking.NONE)
    ended = publish(manifest, *extras)
    assert (ended.code, "Nothing is picked." in ended.out) == (0, True), ended.err
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert sorted(archive.namelist()) == ["index.html", "published.csv", "published.json"]


EXTRAS = (("--edl", "cut.edl"), ("--otio", "cut.otio"), ("--sheet", "sheet.mp4"), ("--zip", "all.zip"))


def test_wrong_flags(campaign, tmp_path):
    manifest, _ = campaign
    for words, told in (
        (("--with-prompt",), "--with-prompt needs --mark"),
        (("--certificate", "self"), "--certificate needs --mark"),
        (("--mark", "--certificate", "x.pem"), "--certificate needs --private-key"),
        (("--mark", "--certificate", "x.pem", "--private-key", "y.pem"), "x.pem cannot be read"),
        (("--edl", "cut.mp4"), "cut.mp4 has another ending"),
        (("--zip", "all.tar"), "all.tar has another ending"),
        (("--picks", "anne"), "did you mean 'ann'"),
        (("--only", "nope"), "matches no job"),
    ):
        ended = publish(manifest, *words)
        assert (ended.code, told in ended.err) == (Exit.INVALID, True), (words, ended.err)
    assert call("publish", manifest.path).code == Exit.INVALID
    ended = call("publish", manifest.path, "--to", "$HOME/x")
    assert (ended.code, "would make a folder of that name" in ended.err) == (Exit.INVALID, True)
    for folder in (manifest.output.dir, manifest.output.dir / "videos" / "x"):
        ended = call("publish", manifest.path, "--to", folder)
        assert (ended.code, "holds what was delivered" in ended.err) == (Exit.INVALID, True)
    (tmp_path / "to").mkdir()
    (tmp_path / "to/published.json").write_text("{}")
    ended = publish(manifest)
    assert (ended.code, "is no list that publish wrote" in ended.err) == (Exit.INVALID, True)
    assert "there is no state" in call("publish", written(tmp_path / "new"), "--to", tmp_path / "x").err


def test_rules_and_reviewers(campaign, tmp_path):
    manifest, jobs = campaign
    mark(manifest, jobs[1], by="bo")
    mark(manifest, jobs[0], by="bo", said=Marking.REJECT)

    def paths(*words):
        ended = publish(manifest, "--anonymous", *words)
        assert ended.code == 0, ended.err
        clips = json.loads((tmp_path / "to/published.json").read_text())["clips"]
        assert {each["picked_by"] for each in clips} <= {None}
        assert "ann" not in "".join((tmp_path / f"to/{name}").read_text() for name in ("published.csv", "index.html"))
        return [each["path"] for each in clips]

    assert len(paths()) == 4
    assert paths("--picks", "bo") == ["p0/plain/take-2.mp4"]
    assert paths("--picks", "all") == []
    assert paths("--where", "image=p2") == ["p2/plain/take-1.mp4"]


def test_an_archive(campaign, tmp_path):
    manifest, _ = campaign
    assert publish(manifest, "--zip", tmp_path / "all.zip").code == 0
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        inside = {name: archive.read(name) for name in archive.namelist()}
    there = tree(tmp_path / "to")
    assert set(inside) == set(there)
    assert all(inside[name] == there[name] for name in there if name != "published.json")
    listed = json.loads(there["published.json"])
    del listed["files"]
    assert json.loads(inside["published.json"]) == listed


def test_words_that_utf_8_does_not_have():
    assert json.loads(bytes_of({"key": "half \ud800 of a pair"})) == {"key": "half \ud800 of a pair"}


def test_an_archive_elsewhere(campaign, tmp_path):
    manifest, _ = campaign
    assert publish(manifest, "--zip", tmp_path / "new/folder/all.zip").code == 0
    assert [each.name for each in (tmp_path / "new/folder").iterdir()] == ["all.zip"]
    # What somebody put into its place is left.
    (tmp_path / "new/folder/all.zip").write_bytes(b"theirs")
    ended = publish(manifest, "--zip", tmp_path / "new/folder/all.zip")
    assert (ended.code, "Left as it is: ../new/folder/all.zip" in ended.err) == (Exit.JOBS_FAILED, True)
    assert (tmp_path / "new/folder/all.zip").read_bytes() == b"theirs"


def test_only_one_publish_at_a_time(campaign, tmp_path):
    import fcntl

    manifest, _ = campaign
    (tmp_path / "to").mkdir()
    descriptor = os.open(tmp_path / "to", os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        ended = publish(manifest)
    finally:
        os.close(descriptor)
    assert (ended.code, "another publish writes" in ended.err) == (Exit.LOCKED, True)
    assert publish(manifest).code == 0


def published(manifest):
    """Publish without the command line: it is done at every step below."""
    folder = manifest.path.parent / "to"
    order = PublishOrder(folder, marks=True, zip=folder / "all.zip")
    store = Store.read(manifest.output.state, index_path(manifest.output.dir))
    with store.seen_from(manifest.path):
        return publish_picks(manifest, store, EVERYTHING, order)


def killed_at(step, manifest):
    """Publish in a process of its own that is killed at its so-many-th step on the disk; whether it came to that."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.WIFSIGNALED(status)
    folder, left = os.fspath(manifest.path.parent / "to"), [step]

    def on_event(event, arguments):
        is_step = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.copyfile")
        is_step |= event == "open" and bool(arguments[2] & (os.O_WRONLY | os.O_RDWR))
        if is_step and any(folder in os.fspath(each) for each in arguments if isinstance(each, (str, Path))):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    try:
        sys.addaudithook(on_event)
        published(manifest)
    finally:
        os._exit(0)


def test_a_kill_at_every_step_leaves_no_half_file(campaign, tmp_path):
    """From one list of picks to another: what stands under a name is always the whole of what was or of what comes."""
    manifest, jobs = campaign
    published(manifest)
    before = tree(tmp_path / "to")
    mark(manifest, jobs[0], said=Marking.NONE)
    mark(manifest, jobs[1])
    os.rename(tmp_path / "to", tmp_path / "before")
    shutil.copytree(tmp_path / "before", tmp_path / "to")
    published(manifest)
    after = tree(tmp_path / "to")
    assert set(before) ^ set(after) == {"p0/plain/take-1.mp4", "p0/plain/take-2.mp4"}
    for step in range(200):
        shutil.rmtree(tmp_path / "to")
        shutil.copytree(tmp_path / "before", tmp_path / "to")
        was_killed = killed_at(step, manifest)
        for path, content in tree(tmp_path / "to").items():
            if not path.startswith(".publishing/"):
                assert content in (before.get(path), after.get(path)), (step, path)
        there = tree(tmp_path / "to")
        assert "p0/plain/take-1.mp4" in there or there["published.json"] == after["published.json"], (
            "what goes, goes last"
        )
        assert published(manifest).failed == {}
        assert tree(tmp_path / "to") == after, step
        if not was_killed:
            break
    assert 20 < step < 199, "the last one was not killed"
