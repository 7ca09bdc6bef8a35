"""Makes the clip of a request: gets or paints the picture, moves the camera, writes the clip and its thumbnail."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from runner.sandbox.album import Album, is_url, opened
from runner.sandbox.catalog import Catalog, PictureRules
from runner.sandbox.constraints import check_picture
from runner.sandbox.film.camera import course
from runner.sandbox.film.clip import RATE, encode
from runner.sandbox.film.frames import frames, window_size
from runner.sandbox.film.scenery import landscape
from runner.sandbox.film.seed import Seed
from runner.sandbox.loopback import fetched, on_loopback
from runner.sandbox.records import Request

_LONGEST = 15  # seconds
# A picture is opened with this many times the height of the clip, if it is that large, so that a near view has detail.
_SPARE = 2


@dataclass(frozen=True, slots=True)
class Studio:
    """`media` is the folder of the finished files. `clip_height` is the greatest height of a clip, in pixels."""

    media: Path
    album: Album
    catalog: Catalog
    clip_height: int
    container: str = "mp4"  # as FFmpeg names it; the files are called .mp4 all the same

    def video(self, request_id: str) -> Path:
        return self.media / f"{request_id}.mp4"

    def thumbnail(self, request_id: str) -> Path:
        return self.media / f"{request_id}.jpg"

    def make(self, request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        """Make both files and return their sha256.

        Raises HTTPException if the picture is not available, AbandonedError if stopped, and OSError for disk errors.
        """
        payload: dict[str, object] = json.loads(request.filled)
        seconds = round(min(_LONGEST, max(1, _number(payload.get("duration"), 5))))
        cfg_scale = min(1.0, max(0.0, _number(payload.get("cfg_scale"), 0.5)))
        picture = self._picture(request)
        window = window_size(picture.size, self.clip_height)
        views = course(str(payload.get("prompt", "")), cfg_scale, seconds, seconds * RATE, Seed(request.take))
        video, still = self.video(request.request_id), self.thumbnail(request.request_id)
        shots, about = frames(picture, window, views), _metadata(request)
        encode(shots, window, _part(video), _part(still), about, stopped, self.container)
        return _finished(video), _finished(still)

    def sweep(self) -> None:
        """Delete the unfinished files that a sandbox left when it stopped."""
        for folder in (self.media, self.album.folder):
            for part in folder.glob("*.part"):
                part.unlink(missing_ok=True)

    def _picture(self, request: Request) -> Image.Image:
        """The request's first picture, or a painted one if the sandbox does not fetch the picture's URL."""
        name, source = next(iter(json.loads(request.pictures).items()), ("image", ""))
        field, shortest = f"payload.{name}", _SPARE * self.clip_height
        if source and not is_url(source):
            return opened(self.album.path(source), field, shortest)
        if not on_loopback(source):
            return landscape(Seed(source))
        model = self.catalog.models.get(request.model)
        rules = (model.pictures if model else {}).get(name, PictureRules.of({}))
        data = fetched(source, rules.max_bytes, field)
        check_picture(data, rules, field)
        return opened(io.BytesIO(data), field, shortest)


def _metadata(request: Request) -> Mapping[str, str]:
    return {
        "title": "Sandbox clip",
        "artist": "reelrun sandbox",
        "comment": (
            "Made by the reelrun sandbox by moving a camera over the picture. Not AI generated. "
            f"model={request.model} request_id={request.request_id}"
        ),
    }


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _finished(path: Path) -> str:
    """Give a finished file its name. Returns its sha256."""
    part = _part(path)
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    os.replace(part, path)
    return digest


def _number(value: object, otherwise: float) -> float:
    """The value as a number; a string may hold one, as for durations."""
    try:
        return float(value) if isinstance(value, str | int | float) else otherwise
    except ValueError:
        return otherwise
