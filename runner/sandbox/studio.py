"""Makes what a request asks for: finds or paints the picture, moves the camera, writes the clip and its thumbnail."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from runner.sandbox.catalog import Catalog, PictureRules
from runner.sandbox.clip import RATE, encode, thumbnail
from runner.sandbox.frames import frames, window_size
from runner.sandbox.landscape import landscape
from runner.sandbox.loopback import fetched, on_loopback
from runner.sandbox.mood import mood
from runner.sandbox.motion import moves, path
from runner.sandbox.pictures import Album, check_picture, is_url, opened
from runner.sandbox.planes import Planes
from runner.sandbox.seed import Seed
from runner.sandbox.store import Request

_LONGEST = 15  # seconds
# A picture is opened with this many times the height of the clip, if it has that, so that there is detail to move to.
_SPARE = 2


@dataclass(frozen=True, slots=True)
class Studio:
    """`media` is the folder of the finished files; `clip_height` the most pixels from top to bottom."""

    media: Path
    album: Album
    catalog: Catalog
    clip_height: int

    def video(self, request_id: str) -> Path:
        return self.media / f"{request_id}.mp4"

    def thumbnail(self, request_id: str) -> Path:
        return self.media / f"{request_id}.jpg"

    def make(self, request: Request, stopped: Callable[[], bool]) -> tuple[str, str]:
        """Make both files and return their sha256.

        Raises RefusedError for a picture that cannot be had, AbandonedError when stopped, OSError for disk trouble.
        """
        payload: dict[str, object] = json.loads(request.filled)
        seed = Seed(f"{request.digest}/{request.ordinal}")
        prompt = str(payload.get("prompt", ""))
        seconds = round(min(_LONGEST, max(1, _number(payload.get("duration"), 5))))
        picture = self._picture(request)
        window = window_size(picture.size, self.clip_height)
        cfg_scale = min(1.0, max(0.0, _number(payload.get("cfg_scale"), 0.5)))
        views = path(moves(prompt, seed), cfg_scale, seconds, seconds * RATE, seed)
        video, still = self.video(request.request_id), self.thumbnail(request.request_id)
        shots = _with_thumbnail(frames(picture, window, views, mood(prompt, seed)), len(views) // 3, _part(still))
        encode(shots, window, _part(video), _metadata(request), stopped)
        return _finished(video), _finished(still)

    def _picture(self, request: Request) -> Image.Image:
        """The request's first picture, or a painted one for an address that the sandbox does not fetch."""
        name, source = next(iter(json.loads(request.pictures).items()), ("image", ""))
        field, shortest = f"payload.{name}", _SPARE * self.clip_height
        if source and not is_url(source):
            return opened(self.album.path(source), field, shortest)
        if not on_loopback(source):
            return landscape(Seed(source))
        rules = self._rules(request.model, name)
        data = fetched(source, rules.max_bytes, field)
        check_picture(data, rules, field)
        return opened(io.BytesIO(data), field, shortest)

    def _rules(self, model: str, name: str) -> PictureRules:
        known = self.catalog.models.get(model)
        return known.pictures.get(name, PictureRules.of({})) if known else PictureRules.of({})

    def sweep(self) -> None:
        """Throw away what was half made when a sandbox stopped."""
        for folder in (self.media, self.album.folder):
            for part in folder.glob("*.part"):
                part.unlink(missing_ok=True)


def _with_thumbnail(shots: Iterable[Planes], chosen: int, path: Path) -> Iterator[Planes]:
    for number, planes in enumerate(shots):
        if number == chosen:
            thumbnail(planes, path)
        yield planes


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
    """Give a finished file its name; its sha256."""
    part = _part(path)
    with part.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    os.replace(part, path)
    return digest


def _number(value: object, otherwise: float) -> float:
    """A number, also one in a string, as durations are."""
    try:
        return float(value) if isinstance(value, str | int | float) else otherwise
    except ValueError:
        return otherwise
