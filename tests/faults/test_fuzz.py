"""Fuzz: whatever a manifest or an answer holds, only our own errors come out, and nothing is written elsewhere.

The long form is `REELRUN_PROFILE=long python -m pytest tests/faults/test_fuzz.py -n 0`, with 10,000 examples a test.
"""

import contextlib
import io
import json
import os
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.api.answer_classes import AnswerClass, retry_after
from runner.api.answers import Listing, remote_of
from runner.api.client import Client, Reply
from runner.api.listing import read_listing
from runner.api.service import Service
from runner.errors import ManifestError
from runner.manifest.reader import read
from runner.planning.expansion.paths import safe_path
from runner.planning.plan import make_plan
from tests.faults import service as faults
from tests.faults.harness import run
from tests.faults.service import FaultyService
from tests.kit import MODEL, few_frames, picture_bytes, write_manifest

LONG = os.environ.get("REELRUN_PROFILE") == "long"

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["../x", "/etc/passwd", "{{ a }}", "{{ 9**9**9 }}", "{% for x in range(9) %}", "CON", "p0.jpg", "\0", "5"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "version",
    "name",
    "model",
    "images",
    "prompts",
    "vars",
    "matrix",
    "params",
    "takes",
    "budget",
    "run",
    "output",
    "models",
]


def base(out):
    return {
        "version": 1,
        "name": "fuzz",
        "model": MODEL,
        "images": [{"file": "p0.jpg"}, {"url": "https://example.com/a.jpg", "id": "u"}],
        "prompts": [{"id": "plain", "text": "A slow push-in of {{ a }}"}],
        "vars": {"a": 1},
        "matrix": {"b": [1, 2], "exclude": [{"b": 2}], "include": [{"b": 1, "c": "x"}]},
        "params": {"cfg_scale": 0.5},
        "takes": 1,
        "budget": {"max_jobs": 50},
        "run": {"settle": 1},
        "output": {"dir": out},
        "models": {},
    }


@st.composite
def manifests(draw):
    """A sound manifest with some of its parts, at any depth, replaced by anything."""
    document = json.loads(json.dumps(base("out")))
    for _ in range(draw(st.integers(1, 3))):
        holder = document
        key = draw(st.sampled_from(KEYS))
        while isinstance(holder.get(key), (dict, list)) and holder[key] and draw(st.booleans()):
            inner = holder[key]
            if isinstance(inner, list):
                inner = inner[draw(st.integers(0, len(inner) - 1))]
            if not isinstance(inner, dict) or not inner:
                break
            holder, key = inner, draw(st.sampled_from(sorted(inner)) | st.text(max_size=5))
        holder[key] = draw(values)
    return document


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "p0.jpg").write_bytes(picture_bytes(0))
        yield Path(name)


def look(path):
    """Read and plan as every command does; errors of ours are fine, anything else is a defect."""
    with contextlib.suppress(ManifestError):
        reading = read(path)
        plan = make_plan(reading.valid(), warnings=reading.diagnostics)
        videos = path.parent / "out" / "videos"
        for planned in plan.jobs:
            assert (videos / planned.job.output).resolve().is_relative_to(videos.resolve())


@given(manifests())
def test_any_manifest_gives_a_plan_or_diagnostics(folder, document):
    path = folder / "m.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8", errors="surrogatepass")
    look(path)
    assert sorted(each.name for each in folder.iterdir()) == ["m.yaml", "p0.jpg"]


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_give_diagnostics(folder, content):
    path = folder / "m.yaml"
    path.write_bytes(content)
    with pytest.raises(ManifestError):
        read(path).valid()


SOUND = yaml.safe_dump(base("out"))


@given(st.integers(0, len(SOUND)), st.integers(0, 12), st.text(max_size=8))
def test_any_slip_of_the_hand_gives_a_plan_or_diagnostics(folder, start, length, replacement):
    path = folder / "m.yaml"
    text = SOUND[:start] + replacement + SOUND[start + length :]
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    look(path)


@given(st.text(max_size=400))
def test_any_name_gives_a_safe_path(name):
    path = safe_path(name)
    assert not path.startswith("/")
    for part in path.split("/"):
        assert part not in ("", ".", "..")
        assert len(part.encode()) <= 200
        assert part.isprintable()
    assert safe_path(path) == path


def shapes(**known):
    """Objects with the right names and any values."""
    return st.fixed_dictionaries({}, optional={name: strategy | values for name, strategy in known.items()})


outcomes = shapes(
    video_url=st.text(max_size=9),
    media_urls=st.lists(shapes(url=st.text(max_size=9)), max_size=2),
    thumbnail_image_url=st.text(),
)
remotes = shapes(
    request_id=st.text(max_size=9),
    model=st.just(MODEL),
    status=st.sampled_from(["success", "queued"]),
    outcome=outcomes,
    created_at=st.integers(),
    payload=shapes(image=st.text(max_size=20), prompt=st.text(max_size=9)),
    org_id=st.text(max_size=5),
    error=values,
)


CLIENT = Client(Service("http://127.0.0.1:1"))


def encoded(document):
    return json.dumps(document).encode()


@given(st.integers(100, 599), remotes | values)
def test_any_answer_to_a_post_is_classed(status, document):
    submission = CLIENT._submission(Reply(status, document, "words", None))
    if submission.kind is AnswerClass.ACCEPTED:
        assert 200 <= status < 300
        assert submission.remote.request_id == document["request_id"]
    remote_of(document)


@given(st.lists(remotes | values, max_size=3), values, st.integers(0, 4000))
def test_any_listing_is_read(entries, total, cut):
    content = encoded({"requests": entries, "total": total})

    class Raw(io.BytesIO):
        def read1(self, amount=-1, decode_content=False):
            return super().read1(amount)

    listing = read_listing(Raw(content[:cut]))
    assert isinstance(listing, Listing)
    if listing.is_whole:
        assert cut >= len(content.rstrip()) or len(listing.requests) == len(entries)
        assert len(listing.requests) == len(entries)


@given(st.text(max_size=40) | st.integers().map(str) | st.just("Fri, 31 Dec 9999 23:59:59 GMT"))
def test_any_retry_after_is_a_sane_pause(value):
    pause = retry_after(value, "Sun, 09 Sep 2001 01:46:40 GMT")
    assert pause is None or 0 <= pause <= 3600


answers = st.tuples(
    st.sampled_from([200, 200, 200, 201, 204, 302, 400, 404, 408, 422, 429, 500, 502, 504]),
    st.binary(max_size=60) | (remotes | values).map(encoded),
)


@settings(max_examples=100 if LONG else 5)
@given(
    st.lists(st.tuples(answers, st.booleans()), max_size=2),
    st.lists(answers, max_size=3),
    st.lists(answers, max_size=2),
)
def test_any_answers_keep_the_promises(posts, polls, lists):
    """Over real sockets: whatever was answered, a job is never accepted twice."""
    with FaultyService(few_frames()) as service, tempfile.TemporaryDirectory() as name:
        manifest = write_manifest(Path(name), pictures=2, run={"settle": 0.8, "wait": 4})
        for (code, content), accepted in posts:
            # A refusal that accepts all the same is no fault of a network, and no client can guard against it.
            takes = accepted and code not in (400, 401, 402, 403, 404, 405, 413, 415, 422, 429)
            service.order("submit", faults.raw(content, accepted=takes, code=code))
        service.order("poll", *(faults.raw(content, code=code) for code, content in polls))
        service.order("list", *(faults.raw(content, code=code) for code, content in lists))
        run(manifest, service)
        service.faults.clear()
        service.organisation = "org-1"
        result = run(manifest, service)
        contents = service.fingerprints()
        assert len(contents) == len(set(contents))
        assert sum(result.totals.values()) == 2
        assert service.key_seen_by_files == 0
