"""Pages of many clips, made without a run: clips that bear the number of each frame, their sprites and small copies."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageDraw

from runner.model import Artifact, JobRecord, Json, Status
from runner.results import page
from runner.results.job_document import job_document
from runner.results.snapshot import Header, IndexSnapshot

FPS, SECONDS = 24, 6
# The number of a frame is painted as bits, the highest first, white for 1, in blocks along the left of the upper edge.
BITS, BLOCKS = 8, 16
SOURCE = "sha256:" + "0" * 64
HEADER = Header(
    "trail-shoes", "trail-shoes.yaml", "9f" * 32, "sandbox", "USD", 1_763_906_700.0, files={SOURCE: "thumbnails/0.jpg"}
)
IMAGES, PROMPTS = ("boot", "shoe", "bag", "hat"), ("plain", "mood", "ad", "dusk")
SURFACES, CAMERAS = ("wet rock", "warm sand", "fresh snow"), ("slow push-in", "orbit left")
TEXTS = {
    "plain": "The {image} on {surface}, {camera}",
    "mood": "The {image} on {surface} at first light, fog in the valley, {camera}, film grain",
    "dusk": "The {image} on {surface} at dusk, {camera}",
    "ad": "A hero shot of the {image}: {surface}, studio light, {camera}, nothing else in the frame",
}
DONE = JobRecord(
    id="",
    key="",
    aliases=(),
    orphaned=False,
    image="shoe",
    prompt_id="plain",
    model="Kling-Image2Video-V1.6-Standard",
    variables={},
    take=1,
    payload={"image": SOURCE, "prompt": "The shoe on wet rock"},
    status=Status.SUCCEEDED,
    reason="",
    request_id="7f6f9a3e-0f2c-4e6e-9a58-6f1f1f0c9b11",
    attempts=1,
    submitted_at=1_763_906_000.0,
    finished_at=1_763_906_300.0,
    cost=Decimal("0.25"),
)


def frames(seed: int, size: tuple[int, int], count: int = FPS * SECONDS) -> Iterator[Image.Image]:
    """A scene that moves, with the number of each frame in it."""
    width, height = size
    block = width // BLOCKS
    noise = np.random.default_rng(seed)
    ground = Image.fromarray(noise.integers(40, 160, (12, 40, 3), dtype=np.uint8)).resize(
        (width * 2, height), Image.Resampling.BICUBIC
    )
    colour = tuple(int(each) for each in noise.integers(90, 255, 3))
    for number in range(count):
        picture = ground.crop((number * 3, 0, number * 3 + width, height))
        draw = ImageDraw.Draw(picture)
        at = width * number / count
        draw.ellipse((at, height * 0.45, at + height * 0.4, height * 0.85), fill=colour)
        for bit in range(BITS):
            shade = 255 if number >> (BITS - 1 - bit) & 1 else 0
            draw.rectangle((bit * block, 0, (bit + 1) * block - 1, block - 1), fill=(shade, shade, shade))
        yield picture


def write_clip(path: Path, seed: int, size: tuple[int, int] = (640, 360), group: int = 12) -> None:
    """A clip as a small copy is: H.264, with a keyframe every `group` frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "27"})
        assert isinstance(stream, av.VideoStream)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.gop_size = group
        for picture in frames(seed, size):
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode())


def write_stills(folder: Path, seed: int, size: tuple[int, int] = (640, 360)) -> None:
    """The sprite and the thumbnail of a clip."""
    pictures = list(frames(seed, size))
    height, width = 120, round(120 * size[0] / size[1])
    strip = Image.new("RGB", (24 * width, height))
    for cell in range(24):
        strip.paste(pictures[cell * len(pictures) // 24].resize((width, height)), (cell * width, 0))
    for name, picture in (("previews/{}.webp", strip), ("thumbnails/{}.jpg", pictures[0])):
        path = folder / name.format(seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path)


def media(folder: Path, kinds: int, size: tuple[int, int] = (640, 360)) -> None:
    """The files of some clips that differ."""
    for seed in range(kinds):
        write_clip(folder / f"kinds/{seed}.mp4", seed, size)
        write_stills(folder, seed, size)


def sweep(folder: Path, count: int, kinds: int, size: tuple[int, int] = (640, 360)) -> list[dict[str, Json]]:
    """The jobs of a sweep over image, prompt, surface, camera and take; cells beyond that differ in `cfg`."""
    media(folder, kinds, size)
    for name in ("videos", "previews"):
        (folder / name).mkdir(exist_ok=True)
    cells = product(range(count), IMAGES, PROMPTS, SURFACES, CAMERAS, (1, 2))
    return [document(folder, number, number % kinds, *next(cells)) for number in range(count)]


def document(
    folder: Path, number: int, kind: int, cfg: int, image: str, prompt: str, surface: str, camera: str, take: int
) -> dict[str, Json]:
    """A job as the index has it. Each has files of its own, of one of the kinds."""
    for name in ("videos", "previews"):
        os.link(folder / f"kinds/{kind}.mp4", folder / f"{name}/{number}.mp4")
    variables: dict[str, Json] = {"surface": surface, "camera": camera} | ({"cfg": cfg / 10} if cfg else {})
    text = TEXTS[prompt].format(image=image, surface=surface, camera=camera)
    video = Artifact(f"videos/{number}.mp4", f"{number:064x}", 512_000, float(SECONDS), 640, 360, float(FPS), "h264")
    record = replace(
        DONE,
        id=f"{number:016x}",
        key=f"{image}/{prompt}/surface={surface.replace(' ', '-')},camera={camera.replace(' ', '-')}/take-{take}",
        image=image,
        prompt_id=prompt,
        variables=variables,
        take=take,
        payload={"image": SOURCE, "prompt": text, "duration": "5", "cfg_scale": 0.5},
        video=video,
        thumbnail=Artifact(f"thumbnails/{kind}.jpg", "1" * 64, 99),
    )
    return job_document(record, {"product": f"the {image} of the season"}) | {
        "previews": {"sprite": {"path": f"previews/{kind}.webp"}, "small": {"path": f"previews/{number}.mp4"}},
        "measures": measures(number),
        "defects": defects(number),
        "warnings": [{"code": "camera", "message": "the prompt says 'push-in', the camera stands"}]
        * (number % 29 == 3),
    }


def measures(number: int) -> dict[str, Json]:
    """Figures as they may be; every 40th clip flashes."""
    return {
        "frozen": 0.42 if number % 17 == 3 else 0.0,
        "black": 0.0,
        "cuts": 0,
        "flash": 4 if number % 40 == 7 else 0,
        "flicker": round(0.2 + number % 7 / 10, 3),
        "motion": round(0.03 + number % 11 / 100, 4),
        "wobble": round(0.01 + number % 13 / 1000, 4),
        "sharpness": round(0.9 + number % 5 / 50, 3),
        "zoom": round(1 + number % 9 / 30, 3),
        "first_frame": 0.97,
        "sound": False,
    }


def defects(number: int) -> list[Json]:
    told = measures(number)
    limits = (("frozen", 0.3, [[2.5, 4.6]]), ("flash", 1, [[1.0, 2.0]]))
    return [
        {"measure": name, "value": told[name], "limit": limit, "spans": spans}
        for name, limit, spans in limits
        if float(str(told[name])) >= limit
    ]


def write_page(folder: Path, jobs: Iterable[dict[str, Json]], header: Header = HEADER) -> str:
    """Write the page of some jobs, and return its address."""
    listed = list(jobs)
    spool = io.StringIO("".join(json.dumps(job) + "\n" for job in listed))
    taken = IndexSnapshot(folder, header, cost=Decimal("0.25") * len(listed), _spool=spool)
    for job in listed:
        taken.totals[str(job["status"])] += 1
    path = folder / "index.html"
    with path.open("w", encoding="utf-8") as file:
        page.write(file, taken)
    return path.as_uri()


def number_in(picture: Image.Image, clip: tuple[float, float, float, float]) -> int:
    """The number of the frame that is seen in a part of a screenshot: left, upper, width and height of the clip."""
    left, upper, width, _ = clip
    block = width / BLOCKS
    shades = [picture.getpixel((round(left + (bit + 0.5) * block), round(upper + block / 2))) for bit in range(BITS)]
    return sum((sum(shade[:3]) > 382) << (BITS - 1 - bit) for bit, shade in enumerate(shades))  # type: ignore[index]
