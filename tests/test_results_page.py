"""`index.html`, as text; `tests/browser` looks at it in a browser."""

from __future__ import annotations

import hashlib
import io
import json
import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from runner.model import Artifact, JobRecord, Json, Status
from runner.results import page
from runner.results.job_document import job_document
from runner.results.snapshot import Header, IndexSnapshot, snapshot

HEADER = Header("trail-shoes", "trail-shoes.yaml", "9f" * 32, "https://console.gmicloud.ai", "USD", 1_763_906_700.0)
VIDEO = Artifact("videos/a.mp4", "0" * 64, 12_345, 5.04, 640, 360, 24.0, "h264")
DONE = JobRecord(
    id="0123456789abcdef",
    key="shoe/plain/take-1",
    aliases=(),
    orphaned=False,
    image="shoe",
    prompt_id="plain",
    model="Kling-Image2Video-V1.6-Standard",
    variables={"surface": "wet rock", "cfg": 0.3},
    take=1,
    payload={"image": "sha256:" + "0" * 64, "prompt": "The shoe on wet rock"},
    status=Status.SUCCEEDED,
    reason="done",
    cost=Decimal("0.25"),
    video=VIDEO,
    thumbnail=Artifact("thumbnails/a.jpg", "1" * 64, 99),
)
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "--><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x=\'',
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</style></title></textarea><svg onload=alert(1)>",
    "<!--<script>",
    "\ud800 \x00 \u202e",
]


class Reader(HTMLParser):
    """The elements of a page, with their attributes and the text between their tag and the next."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None], list[str]]] = []
        self._inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs), []))
        self._inside = True

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.elements[-1][2].append(data)

    def named(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [(attributes, "".join(text)) for name, attributes, text in self.elements if name == tag]

    def classed(self, name: str) -> list[str]:
        return [
            "".join(text).strip()
            for _, attributes, text in self.elements
            if name in (attributes.get("class") or "").split()
        ]


def text_of(folder: Path, jobs: Sequence[JobRecord], header: Header = HEADER) -> str:
    file = io.StringIO()
    with snapshot(folder, header, lambda: jobs) as taken:
        page.write(file, taken)
    return file.getvalue()


def text_of_documents(folder: Path, documents: Sequence[dict[str, Json]], serving: page.Serving | None = None) -> str:
    """The page of jobs as they stand in the index."""
    file = io.StringIO()
    spool = io.StringIO("".join(json.dumps(each) + "\n" for each in documents))
    page.write(file, IndexSnapshot(folder, HEADER, _spool=spool), serving)
    return file.getvalue()


def data_of(text: str) -> dict[str, list[dict[str, object]]]:
    (data,) = [text for attributes, text in Reader(text).named("script") if attributes.get("id") == "data"]
    document = json.loads(data)
    assert isinstance(document, dict)
    return document


def test_shows_every_job(tmp_path: Path) -> None:
    text = text_of(tmp_path, [replace(DONE, key=f"shoe/{index}") for index in range(30)])
    assert [job["key"] for job in data_of(text)["jobs"]] == [f"shoe/{index}" for index in range(30)]
    # Without JavaScript, too.
    assert re.findall(r"<li>(shoe/\d+): ", text) == [f"shoe/{index}" for index in range(30)]
    assert "30 of 30 shown" in text


def test_the_head_tells_what_this_is(tmp_path: Path) -> None:
    failed = replace(DONE, status=Status.FAILED, video=None, thumbnail=None, error="policy")
    text = text_of(tmp_path, [DONE, DONE, failed])
    reader = Reader(text)
    assert reader.named("h1")[0][1] == "trail-shoes"
    assert reader.named("title")[0][1] == "trail-shoes · 2 of 3 clips"
    for fact in ("trail-shoes.yaml", DONE.model, HEADER.service, "2025-11-23 14:05 UTC", "$0.75", HEADER.sha256):
        assert fact in text
    assert re.findall(r"<b>(\d+)</b> (\w+)", text) == [
        ("2", "succeeded"),
        ("1", "failed"),
    ]
    assert "Names are shown" in text


def test_the_sandbox_is_no_ai_video(tmp_path: Path) -> None:
    assert "not AI video" in text_of(tmp_path, [DONE], replace(HEADER, service="sandbox"))
    assert "not AI video" not in text_of(tmp_path, [DONE])


def test_no_price_is_no_zero(tmp_path: Path) -> None:
    text = text_of(tmp_path, [replace(DONE, cost=None)])
    assert "no price known" in text
    assert "$" not in Reader(text).classed("cost")[0]


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"error": "policy: a trademark", "reason": "failed"}, "policy: a trademark"),
        ({"error": None, "reason": "failed at the service"}, "failed at the service"),
        ({"error": None, "reason": ""}, "The service could not make this clip"),
    ],
)
def test_what_has_no_clip_says_why(tmp_path: Path, changes: dict[str, str | None], shown: str) -> None:
    failed = replace(DONE, status=Status.FAILED, video=None, thumbnail=None, **changes)
    text = text_of(tmp_path, [failed])
    assert f"<li>{failed.key}: failed, {shown}</li>" in text
    assert data_of(text)["jobs"][0]["note"] == shown


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_words_of_its_own(tmp_path: Path, status: Status) -> None:
    bare = replace(DONE, status=status, reason="", video=None, thumbnail=None)
    assert data_of(text_of(tmp_path, [bare]))["jobs"][0]["note"]


def spoken(text: str) -> list[JobRecord]:
    """Two jobs with `text` wherever a stranger can put any."""
    job = replace(
        DONE,
        key=text,
        aliases=(text,),
        image=text,
        prompt_id=text,
        model=text,
        variables={text: text, "list": [text]},
        payload={"image": text, "prompt": text, text: text},
        reason=text,
        request_id=text,
        error=text,
    )
    return [job, replace(job, image="other", status=Status.FAILED, video=None, thumbnail=None)]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_strangers_is_inert(tmp_path: Path, text: str) -> None:
    page_of = {
        said: text_of(tmp_path, spoken(said), replace(HEADER, name=said, file=said, service=said))
        for said in ("harmless", text)
    }
    harmless, hostile = (Reader(each).elements for each in page_of.values())
    # The same elements with the same attributes: the text stayed text.
    assert [(tag, list(attributes)) for tag, attributes, _ in hostile] == [
        (tag, list(attributes)) for tag, attributes, _ in harmless
    ]
    told = data_of(page_of[text])["jobs"][0]
    assert told["key"] == text
    assert told["payload"] == spoken(text)[0].payload


@pytest.mark.parametrize(
    "path",
    [
        "videos/a b#1%20?x=1,é&.mp4",
        "videos/../up.mp4",
        "javascript:alert(1).mp4",
        "//example.com/a.mp4",
        "https://example.com/a.mp4",
        'videos/"quoted"\\.mp4',
        "videos/\udcff.mp4",
    ],
)
def test_links_stay_beside_the_page(path: str) -> None:
    url = page.link(path)
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("", "", "", "")
    assert not url.startswith("/")
    assert unquote(url, errors="surrogateescape") == "./" + path


def test_nothing_is_asked_of_the_network(tmp_path: Path) -> None:
    reader = Reader(text_of(tmp_path, [replace(DONE, payload={"image": "https://example.com/a.jpg", "prompt": ""})]))
    urls = [attributes[name] for _, attributes, _ in reader.elements for name in ("src", "href") if name in attributes]
    assert len(urls) > 3
    assert [url for url in urls if url and not url.startswith(("./", "data:", "index.", "#"))] == []
    (style,) = [text for _, text in reader.named("style")]
    assert "url(" not in style
    assert "@import" not in style


def test_only_our_own_script_and_style_act(tmp_path: Path) -> None:
    reader = Reader(text_of(tmp_path, [DONE]))
    (policy,) = [
        attributes["content"]
        for attributes, _ in reader.named("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    ours = [text for attributes, text in [*reader.named("style"), *reader.named("script")] if not attributes]
    assert len(ours) == 2
    for text in ours:
        assert f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy
    assert [each for _, attributes, _ in reader.elements for each in attributes if each.startswith("on")] == []


def test_filters_are_labelled_and_counted(tmp_path: Path) -> None:
    jobs = [DONE, replace(DONE, variables={"surface": "snow", "cfg": 0.3}), replace(DONE, image="bag")]
    text = text_of(tmp_path, jobs)
    assert [text for _, text in Reader(text).named("legend")] == ["image", "surface"]
    chips = [attributes for attributes, _ in Reader(text).named("button") if attributes.get("class") == "chip"]
    assert len(chips) == 4
    assert all(chip["aria-pressed"] == "false" for chip in chips)
    assert [job["choices"] for job in data_of(text)["jobs"]] == [[[0], [0]], [[0], [1]], [[1], [0]]]


def test_many_choices_are_behind_a_click(tmp_path: Path) -> None:
    jobs = [replace(DONE, variables={"cfg": index}) for index in range(20)]
    text = text_of(tmp_path, jobs)
    assert "<summary>8 more</summary>" in text
    assert re.findall(r'data-choice="(\d+)"', text) == [str(index) for index in range(20)]


def test_a_job_without_an_image_needs_none(tmp_path: Path) -> None:
    text = text_of(tmp_path, [replace(DONE, image=""), replace(DONE, image="", variables={"surface": "snow"})])
    assert [text for _, text in Reader(text).named("legend")] == ["surface", "cfg"]
    assert data_of(text)["jobs"][0]["image"] is None


def test_copies_for_the_page_are_linked_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "previews").mkdir()
    (tmp_path / "previews/a b.webp").touch()
    document = job_document(DONE) | {
        "previews": {"sprite": {"path": "previews/a b.webp"}, "small": {"path": "previews/gone.mp4"}},
        "measures": {"flash": 3},
        "defects": [{"measure": name, "value": 3, "limit": 1, "spans": []} for name in ("flash", "frozen", "flash")],
    }
    (job,) = data_of(text_of_documents(tmp_path, [document]))["jobs"]
    assert (job["sprite"], job["small"], job["measures"]) == ("./previews/a%20b.webp", None, {"flash": 3})


def test_a_job_is_found_by_each_of_its_defects(tmp_path: Path) -> None:
    documents = [
        job_document(DONE) | {"defects": [{"measure": name, "value": 3, "limit": 1, "spans": []} for name in measures]}
        for measures in (["flash", "frozen", "flash"], ["frozen"], [])
    ]
    text = text_of_documents(tmp_path, documents)
    (facet,) = data_of(text)["facets"]
    assert facet == {
        "name": "defects",
        "label": "defect",
        "names_images": False,
        "choices": [
            {"key": "flash", "label": "flash"},
            {"key": "frozen", "label": "frozen"},
            {"key": "", "label": "none"},
        ],
    }
    assert [job["choices"] for job in data_of(text)["jobs"]] == [[[0, 1]], [[1]], [[2]]]
    assert re.findall(r'<span class="count">(\d+)', text) == ["1", "2", "1"]


def test_the_source_picture_is_linked_where_it_is_a_file(tmp_path: Path) -> None:
    header = replace(HEADER, files={"sha256:" + "0" * 64: "../images/shoe 1.jpg"})
    jobs = [DONE, replace(DONE, payload={"image": "https://example.com/a.jpg"}), replace(DONE, payload={})]
    sources = [job["source"] for job in data_of(text_of(tmp_path, jobs, header))["jobs"]]
    assert sources == ["./../images/shoe%201.jpg", None, None]


def test_the_readme_tells_the_keys_of_the_page() -> None:
    root = Path(page.__file__).parents[2]
    keys = (root / "runner/results/templates/scripts/keys.js").read_text(encoding="utf-8")
    bound = re.findall(r'^bind\(.*?, "([^"]+)", "([^"]+)",', keys, re.MULTILINE)
    told = re.findall(r"^\| `(.+?)` \| (.+) \|$", (root / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(bound) > 15
    assert [each for each in bound if each not in told] == []


def test_a_page_has_an_end_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "LIMIT", 3)
    text = text_of(tmp_path, [DONE] * 5)
    assert "This page shows the first 3 of 5 jobs" in " ".join(text.split())
    assert len(data_of(text)["jobs"]) == 3


@pytest.mark.parametrize(
    ("sizes", "frame"),
    [
        ([], "1.7778"),
        ([(640, 360), (640, 360), (360, 640)], "1.7778"),
        ([(500, 500)], "1.0000"),
        ([(1000, 400)], "1.7778"),
        ([(400, 1000)], "0.5625"),
        ([(None, None), (500, 400)], "1.2500"),
    ],
)
def test_frames_have_the_shape_of_the_clips(
    tmp_path: Path, sizes: list[tuple[int | None, int | None]], frame: str
) -> None:
    jobs = [replace(DONE, video=replace(VIDEO, width=width, height=height)) for width, height in sizes]
    assert f":root{{--frame:{frame}}}" in text_of(tmp_path, jobs)


def test_marks_and_picks_are_told_and_picks_are_found(tmp_path: Path) -> None:
    marks: dict[str, Json] = {"ann": {"mark": "pick", "stars": 4}}
    documents = [job_document(DONE) | {"marks": marks, "pick": True}, job_document(DONE) | {"key": "another"}]
    data = data_of(text_of_documents(tmp_path, documents))
    assert [(job["marks"], job["pick"]) for job in data["jobs"]] == [(marks, True), ({}, False)]
    (facet,) = data["facets"]
    assert (facet["name"], [choice["label"] for choice in facet["choices"]]) == ("pick", ["yes", "no"])  # type: ignore[attr-defined]
    assert data["serving"] is None


def test_a_page_that_is_served_names_its_files_as_the_server_does(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    video: dict[str, Json] = {"path": "videos/a b.mp4", "sha256": "0" * 64, "bytes": 4, "width": None, "height": None}
    (tmp_path / "videos" / "a b.mp4").write_bytes(b"clip")
    serving = page.Serving("ann", {DONE.id: "name"}, lambda path: f"files/{len(path)}")
    text = text_of_documents(tmp_path, [job_document(DONE) | {"video": video}], serving)
    assert [job["clip"] for job in data_of(text)["jobs"]] == [f"files/{len('videos/a b.mp4')}"]
    assert data_of(text)["serving"] == {"by": "ann", "names": {DONE.id: "name"}}
    assert "connect-src &#39;self&#39;" in text
    assert ('href="index.csv"' in text, "mode=pairs" in text) == (False, True)
