"""A page with six jobs, and a real browser that opens it from the disk."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import av
import pytest
from PIL import Image

from runner.model import Artifact, JobRecord, Status
from runner.results.index import Header, write
from tests.browser.chromium import BROWSER, DRIVER
from tests.browser.chromium import chromium as start_chromium
from tests.browser.sweeps import sweep, write_page

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

HEADER = Header("trail-shoes", "trail-shoes.yaml", "9f" * 32, "sandbox", "USD", 1_763_906_700.0)
HOSTILE = (
    "</script><script>document.title = 'harmed'</script><img src=x onerror=\"document.title = 'harmed'\">"
    "\" onfocus=\"document.title = 'harmed'\" autofocus='<svg onload=document.title=1>javascript:document.title=1"
)
# Without rows and columns, clips follow each other.
SHEET = "#rows=none&columns=none"
SMALL = (320, 180)
# Names that a URL would take apart.
AWKWARD = "a #1%20?b=1,2 é"
JOB = JobRecord(
    id="",
    key="",
    aliases=(),
    orphaned=False,
    image="shoe",
    prompt_id="plain",
    model="Kling-Image2Video-V1.6-Standard",
    variables={},
    take=1,
    payload={"image": "https://example.com/shoe.jpg", "prompt": "The shoe on wet rock"},
    status=Status.PENDING,
    reason="",
)


def clip(path: Path, codec: str = "libx264", pixels: str = "yuv420p") -> None:
    """A second of video; one in H.264 or VP8 is played by a browser."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=24)
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = 160, 90, pixels
        for shade in range(24):
            frame = av.VideoFrame.from_image(Image.new("RGB", (160, 90), (shade * 10, 80, 120)))
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def jobs(folder: Path) -> Iterator[JobRecord]:
    """Three surfaces of two images, one of them failed, one pending; the last has a prompt that means harm."""
    clip(folder / f"videos/{AWKWARD}.mp4")
    (folder / "thumbnails").mkdir()
    Image.new("RGB", (160, 90), (200, 80, 40)).save(folder / f"thumbnails/{AWKWARD}.jpg")
    video = Artifact(f"videos/{AWKWARD}.mp4", "0" * 64, 1234, 1.0, 160, 90, 24.0, "h264")
    still = Artifact(f"thumbnails/{AWKWARD}.jpg", "1" * 64, 99)
    done = replace(JOB, status=Status.SUCCEEDED, cost=Decimal("0.25"), video=video, thumbnail=still)
    shapes = [
        replace(done, image="shoe", variables={"surface": "wet rock", "cfg": 0.3}),
        replace(done, image="shoe", variables={"surface": "warm sand", "cfg": 0.7}),
        replace(JOB, status=Status.FAILED, error="policy: a trademark", variables={"surface": "snow", "cfg": 0.3}),
        replace(done, image="bag", variables={"surface": "wet rock", "cfg": 0.7}, thumbnail=None),
        replace(JOB, image="bag", variables={"surface": "warm sand", "cfg": 0.3}),
        replace(
            done,
            image="bag",
            variables={"surface": HOSTILE, "cfg": 0.3},
            payload={"image": "javascript:document.title=1", "prompt": HOSTILE, HOSTILE: HOSTILE},
            error=HOSTILE,
            aliases=(HOSTILE,),
            request_id=HOSTILE,
        ),
    ]
    for number, job in enumerate(shapes):
        yield replace(job, id=f"{number:016x}", key=f"{job.image}/plain/{number}")


@pytest.fixture(scope="session")
def hostile() -> str:
    """The prompt that means harm."""
    return HOSTILE


@pytest.fixture(scope="session")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page with six jobs."""
    folder = tmp_path_factory.mktemp("out # 1%")
    records = list(jobs(folder))
    return write(folder / "index.json", HEADER, lambda: records).with_suffix(".html").as_uri()


@pytest.fixture(scope="session")
def other_kinds(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page with a WebM, a GIF, and a kind of file that no browser plays."""
    folder = tmp_path_factory.mktemp("kinds")
    records = []
    for suffix, codec, pixels in (("webm", "libvpx", "yuv420p"), ("gif", "gif", "rgb8"), ("avi", "mpeg4", "yuv420p")):
        clip(folder / f"videos/clip.{suffix}", codec, pixels)
        video = Artifact(f"videos/clip.{suffix}", "0" * 64, 1234, 1.0, 160, 90, 24.0, codec)
        records.append(replace(JOB, id=f"{len(records):016x}", key=suffix, status=Status.SUCCEEDED, video=video))
    return write(folder / "index.json", HEADER, lambda: records).with_suffix(".html").as_uri()


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """It ends with its file: a page that stays open draws and plays on, at the cost of all that is tried after it."""
    if BROWSER is None or DRIVER is None:
        pytest.skip(f"needs {'chromedriver' if BROWSER else 'chromium'}")
    with start_chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="session")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of 48 clips: two images by four prompts, three surfaces and two takes; with sprites."""
    folder = tmp_path_factory.mktemp("matrix")
    jobs = sweep(folder, 96, 3, SMALL)
    # Of two, the copies are gone; one of them flashes.
    for number in (7, 8):
        jobs[number]["previews"] = None
    return write_page(folder, jobs)


@pytest.fixture(scope="session")
def thinned(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a page of two cells whose previews and thumbnails were deleted after it was written."""
    folder = tmp_path_factory.mktemp("thinned")
    address = write_page(folder, sweep(folder, 4, 1, SMALL))
    for name in ("previews", "thumbnails"):
        shutil.rmtree(folder / name)
    return address


def fresh(chromium: Chrome, address: str) -> Chrome:
    chromium.get("about:blank")
    chromium.get_log("performance")
    chromium.get_log("browser")
    chromium.get(address)
    return chromium


@pytest.fixture
def browser(chromium: Chrome, page: str) -> Chrome:
    """The browser with the page freshly opened, and without what it said about the page before."""
    return fresh(chromium, page + SHEET)


@pytest.fixture
def wall(chromium: Chrome, matrix: str) -> Chrome:
    """The browser with the page of many clips freshly opened."""
    return fresh(chromium, matrix)
