"""Publishing to buckets of real servers: the same promises as to a folder, whatever fails on the way."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
import zipfile
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from urllib.parse import urljoin

import pytest
import yaml

from runner.buckets import bucket as buckets
from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress
from runner.errors import Exit, LockedError
from runner.manifest.reader import load
from runner.planning.selection import EVERYTHING
from runner.results.atomic_files import index_path
from runner.review.publishing.destination import Fate
from runner.review.publishing.marks.certificates import trial_certificate
from runner.review.publishing.publication import publish as publish_picks
from runner.review.publishing.publish_order import PublishOrder
from runner.state.store import Store
from tests.command import call, environment
from tests.delivered import clip_bytes, deliver, mark
from tests.kit import write_manifest
from tests.store_proxies import WRITING, NoAnswerError, shared
from tests.store_proxies import proxy as proxied

LIST = "published.json"


@pytest.fixture(scope="module")
def delivered(tmp_path_factory):
    """Three clips; ann picks the first two, bo the last two."""
    path = write_manifest(
        tmp_path_factory.mktemp("campaign"),
        pictures=3,
        prompts=[{"id": "plain", "text": "A slow push-in on the shoe"}],
        budget={"price_per_job": 0.25},
        review={"picks": "ann"},
    )
    manifest, jobs = deliver(path, [clip_bytes(seed) for seed in range(3)])
    for by, picked in (("ann", jobs[:2]), ("bo", jobs[1:])):
        for job in picked:
            mark(manifest, job, by)
    return manifest, jobs


@pytest.fixture(scope="module")
def servers():
    """The real stores, each behind what counts and fails; started when first asked for."""
    with ExitStack() as opened:

        @cache
        def started(name):
            store = shared(name)
            store.make_bucket("handover", is_public=True)
            return opened.enter_context(proxied(store))

        yield started


@pytest.fixture
def server(servers, monkeypatch, request):
    """The server of the test: moto's, unless the test names others."""
    chosen = servers(getattr(request, "param", "moto"))
    for name, value in chosen.environment.items():
        monkeypatch.setenv(name, value)
    yield chosen
    chosen.clear()


on_each_server = pytest.mark.parametrize("server", ["moto", "seaweed"], indirect=True)


@pytest.fixture
def to(server, request):
    """A place of its own for each test."""
    return f"s3://handover/{hashlib.sha256(request.node.name.encode()).hexdigest()[:12]}"


def at(to, longest=5.0):
    return Bucket.open(BucketAddress.of(to), longest=longest, retried=0.2)


def publish(delivered, to, *words):
    return call("publish", delivered[0].path, "--to", to, *words)


def published(manifest, to, picks="ann", longest=5.0, **order):
    """Publish without the command line, by the picks of one reviewer."""
    store = Store.read(manifest.output.state, index_path(manifest.output.dir))
    by = replace(manifest, review=replace(manifest.review, picks=picks))
    with store.seen_from(manifest.path):
        return publish_picks(by, store, EVERYTHING, PublishOrder(at(to, longest), marks=True, **order))


def tree(to):
    """Every object below a place, by its path."""
    bucket = at(to)
    return {each.path: bucket.read(each.path)[0] for each in sorted(bucket.each(), key=lambda each: each.path)}


def versions(to):
    """That of every object below a place: here it is the MD5 of its content."""
    return {each.path: each.version for each in at(to).each()}


def writes(server):
    """What was written or removed since, by paths below its place."""
    return [path.split("/", 3)[3] for method, path in server.seen if method in WRITING]


@on_each_server
def test_picks_are_put_with_a_list_and_a_page(delivered, to, server):
    _, jobs = delivered
    ended = publish(delivered, to, "--json")
    assert ended.code == 0, ended.err
    names = ["p0/plain/take-1.mp4", "p1/plain/take-1.mp4"]
    there = tree(to)
    assert list(there) == sorted([*names, "index.html", "published.csv", LIST])
    assert [there[name] for name in names] == [clip_bytes(0), clip_bytes(1)]
    document = ended.document
    assert (document["to"], document["clips"], document["removed"]) == (to, 2, [])
    assert sorted(document["written"]) == sorted(there)
    listed = json.loads(there[LIST])
    assert list(listed) == ["version", "manifest", "clips", "files"]
    assert [(each["path"], each["job"]) for each in listed["clips"]] == [
        (name, job.id) for name, job in zip(names, jobs, strict=False)
    ]
    for path, made in listed["files"].items():
        assert made["sha256"] == hashlib.sha256(there[path]).hexdigest()
        assert made["version"] == at(to).find(path).version
    kinds = {path: at(to).find(path).notes["Content-Type"] for path in there}
    assert kinds == {
        **dict.fromkeys(names, "video/mp4"),
        "index.html": "text/html; charset=utf-8",
        "published.csv": "text/csv; charset=utf-8",
        LIST: "application/json",
    }
    # One note that it is at work, each file once, and the list.
    assert sorted(writes(server)) == sorted([LIST, *there])


@on_each_server
def test_a_second_publish_writes_nothing_and_reads_no_clip(delivered, to, server):
    assert publish(delivered, to, "--mark").code == 0
    server.clear()
    ended = publish(delivered, to, "--mark", "--json")
    assert (ended.code, ended.document["written"], ended.document["removed"]) == (0, [], [])
    assert writes(server) == []
    assert [path.rpartition("/")[2] for method, path in server.seen if method == "GET"] == [LIST]
    ended = publish(delivered, to, "--mark")
    assert f"2 clips in {to}: files all as they were." in ended.out
    assert f"Page: {to}/index.html   List: {to}/published.json" in ended.out


@on_each_server
def test_what_is_no_longer_picked_is_removed_and_what_was_edited_stays(delivered, to, server):
    assert publish(delivered, to).code == 0
    at(to).put_new("p0/theirs.mp4", b"theirs")
    ended = publish(delivered, to, "--picks", "bo", "--json")
    assert (ended.code, ended.document["removed"]) == (0, ["p0/plain/take-1.mp4"])
    assert sorted(tree(to)) == sorted(
        ["index.html", "p0/theirs.mp4", "p1/plain/take-1.mp4", "p2/plain/take-1.mp4", "published.csv", LIST]
    )
    for path in ("p1/plain/take-1.mp4", "p2/plain/take-1.mp4"):
        at(to).replace(path, b"mine", at(to).find(path).version)
    for _ in range(2):
        ended = publish(delivered, to, "--json")
        assert (ended.code, ended.document["removed"]) == (Exit.JOBS_FAILED, [])
        assert sorted(ended.document["edited"]) == ["p1/plain/take-1.mp4", "p2/plain/take-1.mp4"]
    there = tree(to)
    assert (there["p0/theirs.mp4"], there["p1/plain/take-1.mp4"], there["p2/plain/take-1.mp4"]) == (
        b"theirs",
        b"mine",
        b"mine",
    )
    assert there["p0/plain/take-1.mp4"] == clip_bytes(0)
    assert "Left as it is: p1/plain/take-1.mp4" in publish(delivered, to).err


@on_each_server
def test_an_equal_object_of_another_version_is_as_written(delivered, to, server):
    assert publish(delivered, to).code == 0
    listed = json.loads(at(to).read(LIST)[0])
    listed["files"]["p0/plain/take-1.mp4"]["version"] = '"another"'
    at(to).replace(LIST, json.dumps(listed).encode(), at(to).find(LIST).version)
    server.clear()
    ended = publish(delivered, to, "--json")
    assert (ended.code, ended.document["written"], ended.document["edited"]) == (0, [LIST], [])
    assert [path for method, path in server.seen if method == "GET" and path.endswith("mp4")] != []


def test_what_others_put_into_the_place_of_a_clip_is_left(delivered, to, server):
    at(to).put_new("p0/plain/take-1.mp4", b"theirs")
    # A copy of one of ours has the notes of that one.
    assert publish(delivered, to, "--json").document["edited"] == ["p0/plain/take-1.mp4"]
    assert tree(to)["p0/plain/take-1.mp4"] == b"theirs"


def test_the_place_of_another_manifest_is_refused(delivered, to, server, tmp_path):
    manifest, _ = delivered
    assert publish(delivered, to).code == 0
    other = manifest.path.with_name("other.yaml")
    shutil.copy(manifest.path, other)
    try:
        server.clear()
        ended = call("publish", other, "--to", to)
    finally:
        other.unlink()
    assert (ended.code, f"{to} has what campaign.yaml published" in ended.err) == (Exit.INVALID, True), ended.err
    assert writes(server) == []


def test_no_list_of_ours(delivered, to, server):
    at(to).put_new(LIST, b"[]")
    ended = publish(delivered, to)
    assert (ended.code, "is no list that publish wrote" in ended.err) == (Exit.INVALID, True)


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = set()

    def handle_starttag(self, tag, attributes):
        self.found |= {value for name, value in attributes if name in ("src", "href")}


def test_the_page_works_where_it_is(delivered, to, server):
    name = "{{ image.id }} a+b#c é%{{ take }}"
    assert publish(delivered, to, "--name", name).code == 0
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    page = f"{server.endpoint}/{to.removeprefix('s3://')}/index.html"
    with opener.open(page) as answer:
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        links = Links()
        links.feed(answer.read().decode())
    got = {}
    for link in links.found:
        with opener.open(urljoin(page, link)) as answer:
            got[link] = answer.headers["content-type"], answer.read()
    assert len(got) == 4
    clips = {clip_bytes(0), clip_bytes(1)}
    assert {content for kind, content in got.values() if kind == "video/mp4"} == clips


def test_files_beside_are_of_this_machine(delivered, to, server, tmp_path):
    manifest, _ = delivered
    words = ("--zip", tmp_path / "all.zip", "--edl", tmp_path / "cut.edl", "--json")
    ended = publish(delivered, to, *words)
    assert ended.code == 0, ended.err
    assert {str(tmp_path / name) for name in ("all.zip", "cut.edl")} < set(ended.document["written"])
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    there = tree(to)
    assert set(inside) == set(there)
    assert all(inside[name] == there[name] for name in there if name != LIST)
    assert str(tmp_path) not in there[LIST].decode()
    assert "p0/plain/take-1.mp4" in (tmp_path / "cut.edl").read_text()
    before = [(path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(tmp_path.iterdir())]
    server.clear()
    assert publish(delivered, to, *words).document["written"] == []
    assert [(path.stat().st_mtime_ns, path.stat().st_ino) for path in sorted(tmp_path.iterdir())] == before
    assert [path for method, path in server.seen if method == "GET" and not path.endswith(LIST)] == []
    (tmp_path / "all.zip").write_bytes(b"theirs")
    ended = publish(delivered, to, *words)
    assert (ended.code, ended.document["edited"]) == (Exit.JOBS_FAILED, [str(tmp_path / "all.zip")])
    shutil.rmtree(next(manifest.output.dir.glob("published-*")))


def test_words_about_addresses(delivered, to, monkeypatch):
    far = "x" * 150
    for words, told in (
        ((to, "--zip", "s3://handover/all.zip"), "is no file of this machine"),
        (("s3://Hand over/x",), "names no bucket"),
        (("s3://handover/../x",), "leads astray"),
        (("https://example.com/x",), "is no folder and no bucket"),
        ((to, "--name", "/".join(["{{ image.id }}", *[far] * 7])), "has a path that leads astray"),
    ):
        ended = publish(delivered, *words)
        assert (ended.code, told in ended.err) == (Exit.INVALID, True), (words, ended.err)
    assert tree(to) == {}
    monkeypatch.setattr(buckets, "find_spec", lambda name: None)
    ended = publish(delivered, to)
    assert (ended.code, "pip install" in ended.err) == (Exit.INVALID, True)


def test_the_mirror_is_no_place_to_publish_to(delivered, to):
    manifest, _ = delivered
    document = yaml.safe_load(manifest.path.read_text())
    document["output"]["mirror"] = "s3://handover/mirror"
    manifest.path.write_text(yaml.safe_dump(document))
    for place in ("s3://handover/mirror", "s3://handover/mirror/picks"):
        ended = publish(delivered, place)
        assert (ended.code, "holds what was delivered" in ended.err) == (Exit.INVALID, True), ended
    assert publish(delivered, to).code == 0


def test_nothing_is_picked(delivered, to, server, tmp_path):
    ended = publish(delivered, to, "--picks", "all", "--skip", "p1/*")
    assert (ended.code, "Nothing is picked, and nothing was written." in ended.out) == (0, True)
    assert writes(server) == []


# -- two at once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [1, 2, 3, 6])
def test_of_two_at_once_one_wins_and_the_other_is_told(delivered, to, server, number):
    """Another whole publish, of other picks, comes in right before a write of this one."""
    manifest, _ = delivered

    def other():
        published(manifest, to, "bo")

    server.before = at_write(server, number, other)
    with pytest.raises(LockedError, match="another publish writes to"):
        published(manifest, to, "ann")
    # What was under way when the other ended may still arrive. It is whole, and no list has it.
    assert_whole(manifest, to, "bo", strays={"p0/plain/take-1.mp4"} if number == 2 else ())
    # Once more, and it is as if the other had never been.
    assert published(manifest, to, "ann").failed == {}
    assert_whole(manifest, to, "ann")


def at_write(server, number, do):
    """What does this at the so-many-th write that the server is asked for from now on, counted from 1."""
    left = [number]

    def hook(method, path):
        left[0] -= method in WRITING
        if left[0] == 0 and method in WRITING:
            server.before = server.after = lambda method, path: None
            return do()
        return None

    return hook


def assert_whole(manifest, to, picks, strays=()):
    names = [f"p{number}/plain/take-1.mp4" for number in ((0, 1) if picks == "ann" else (1, 2))]
    there = tree(to)
    assert set(there) - set(strays) == {*names, "index.html", "published.csv", LIST}
    listed = json.loads(there[LIST])
    assert "publishing" not in listed
    assert [each["path"] for each in listed["clips"]] == names
    for path, made in listed["files"].items():
        assert made["sha256"] == hashlib.sha256(there[path]).hexdigest()


# -- refusing, full, gone, slow ----------------------------------------------------------------------------------------


def test_what_is_refused_is_told_by_file(delivered, to, server):
    """The rest is published all the same, and the next publish completes it."""
    server.before = lambda method, path: (
        (403, "AccessDenied") if method == "PUT" and path.endswith("p0/plain/take-1.mp4") else None
    )
    ended = publish(delivered, to, "-q")
    assert (ended.code, ended.out) == (Exit.UNAVAILABLE, "")
    assert (
        f"Not published: p0/plain/take-1.mp4: cannot write {to}/p0/plain/take-1.mp4: the store answers AccessDenied"
        in (ended.err)
    )
    assert "help: check the credentials of the environment" in ended.err
    assert "run the same command again: nothing is lost" in ended.err
    assert sorted(tree(to)) == ["index.html", "p1/plain/take-1.mp4", "published.csv", LIST]
    assert publish(delivered, to, "--json").document["failed"][0]["path"] == "p0/plain/take-1.mp4"
    server.clear()
    assert publish(delivered, to).code == 0
    assert_whole(delivered[0], to, "ann")


def full(method, path):
    return (507, "XMinioStorageFull") if method == "PUT" else None


def gone(method, path):
    raise ConnectionError


def without_answer(method, path):
    raise NoAnswerError


@pytest.mark.parametrize(
    ("number", "how"), [(1, full), (2, gone), (3, without_answer), (5, full), (6, gone), (7, gone)]
)
def test_what_fails_half_way_loses_nothing(delivered, to, server, number, how):
    """From one list of picks to another; from the so-many-th write on, the store does this."""
    manifest, _ = delivered
    published(manifest, to, "ann")

    def fail():
        server.before = how
        return how("PUT", "")

    server.before = at_write(server, number, fail)
    done = published(manifest, to, "bo", longest=0.3 if how is without_answer else 5.0)
    server.clear()
    assert done.trouble is not None
    assert done.failed
    there = tree(to)
    # Nothing goes before the new list is there: at work, a clip, table, page, list, what goes, the end of the work.
    assert done.of(Fate.REMOVED) == (["p0/plain/take-1.mp4"] if number == 7 else [])
    assert {each["path"] for each in json.loads(there[LIST])["clips"]} <= set(there)
    assert published(manifest, to, "bo").failed == {}
    assert_whole(manifest, to, "bo")


def test_a_bucket_that_is_not_there(delivered, server):
    ended = publish(delivered, "s3://nowhere/x")
    assert (ended.code, "there is no such bucket" in ended.err) == (Exit.UNAVAILABLE, True), ended.err


# -- killed -----------------------------------------------------------------------------------------------------------


def publish_as(environment, manifest, to, picks):
    os.environ.update(environment)
    published(load(manifest), to, picks)


@pytest.fixture
def processes(monkeypatch):
    """Processes that begin with all modules loaded, and with none of the threads of this one."""
    # Each would import pytest anew, as the main module of this one.
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None)
    monkeypatch.delattr(sys.modules["__main__"], "__file__", raising=False)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def test_a_kill_after_every_write_leaves_nothing_half(delivered, to, server, processes, monkeypatch):
    """From one list of picks to another. The write is done, and its answer does not arrive."""
    manifest, _ = delivered
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.store.endpoint)
    published(manifest, f"{to}/ann", "ann")
    published(manifest, f"{to}/bo", "bo")
    ends = {picks: versions(f"{to}/{picks}") for picks in ("ann", "bo")}
    for number in range(1, 30):
        place = f"{to}/{number}"
        published(manifest, place, "ann")
        child = processes.Process(target=publish_as, args=(server.environment, manifest.path, place, "bo"))
        server.after = at_write(server, number, lambda child=child: kill(child))
        child.start()
        child.join()
        server.clear()
        there = versions(place)
        for path, version in there.items():
            is_whole = version in (ends["ann"].get(path), ends["bo"].get(path))
            assert is_whole or (path == LIST and "publishing" in json.loads(at(place).read(LIST)[0])), (number, path)
        assert set(there) >= {"p1/plain/take-1.mp4", "index.html", "published.csv", LIST}
        assert "p0/plain/take-1.mp4" in there or number >= 6, "what goes, goes last"
        if child.exitcode == 0:
            break
        assert published(manifest, place, "bo").failed == {}
        assert versions(place) == ends["bo"], number
    # At work, a clip, table, page, list, the clip that goes, the end of the work.
    assert number == 8, "all seven were killed"


def kill(child):
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    return 500, "Killed"


def test_ctrl_c_is_heard_while_the_store_says_nothing(delivered, to, server):
    manifest, _ = delivered
    words = (sys.executable, "-m", "runner", "publish", manifest.path, "--to", to)
    child = subprocess.Popen(words, env=environment(**server.environment), stderr=subprocess.PIPE, text=True)

    def interrupt():
        child.send_signal(signal.SIGINT)
        raise NoAnswerError

    server.before = at_write(server, 2, interrupt)
    _, told = child.communicate()
    assert (child.returncode, told) == (Exit.INTERRUPTED, "interrupted\n")
    # It did not wait until the store was asked again.
    assert len(writes(server)) == 2
    server.clear()
    assert published(manifest, to).failed == {}
    assert_whole(manifest, to, "ann")


def test_a_signed_clip_that_was_put_is_known_again(delivered, to, server, tmp_path):
    """A signature differs each time: only what stands beside the object says that it is ours."""
    manifest, _ = delivered
    certificate = trial_certificate(tmp_path)

    def gone_from_now(method, path):
        server.before = gone

    server.after = lambda method, path: gone_from_now(method, path) if method == "PUT" and "p0" in path else None
    assert published(manifest, to, certificate=certificate).trouble is not None
    server.clear()
    before = tree(to)["p0/plain/take-1.mp4"]
    done = published(manifest, to, certificate=certificate)
    assert done.fates["p0/plain/take-1.mp4"] is Fate.KEPT
    assert tree(to)["p0/plain/take-1.mp4"] == before
    assert_whole(manifest, to, "ann")
