"""Makes the clip of a request: gets or paints the pictures, moves the camera, writes the clip and its thumbnail."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from runner.media import MediaKind, Medium, media_of
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
from runner.sandbox.screenplay import screenplay

# The roles of the picture that a clip shows, the best first.
_SHOWN = ("first", "reference", "source")
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
        payload, model = json.loads(request.filled), self.catalog.model(request.model)
        script, media = screenplay(payload, model.parameters), list(media_of(payload, model.media))
        first, last = _of_role(media, _SHOWN), _of_role(media, ("last",))
        shown = self._picture(first) if first else landscape(Seed(script.prompt))
        ending = self._picture(last) if last else None
        window = window_size(script.size((ending if ending and not first else shown).size), self.clip_height)
        views = course(script.prompt, script.strength, script.seconds, script.seconds * RATE, Seed(request.take))
        video, still = self.video(request.request_id), self.thumbnail(request.request_id)
        how = _how(first is None or _is_elsewhere(first.text), ending is not None, script.has_sound)
        shots, about = frames(shown, window, views, ending), _metadata(request, how)
        encode(shots, window, _part(video), _part(still), about, stopped, self.container, script.has_sound)
        return _finished(video), _finished(still)

    def sweep(self) -> None:
        """Delete the unfinished files that a sandbox left when it stopped."""
        for folder in (self.media, self.album.folder):
            for part in folder.glob("*.part"):
                part.unlink(missing_ok=True)

    def _picture(self, medium: Medium) -> Image.Image:
        """A picture of a request. One that is elsewhere is not fetched but painted."""
        place, shortest = ".".join(("payload", *map(str, medium.route))), _SPARE * self.clip_height
        if _is_elsewhere(medium.text):
            return landscape(Seed(medium.text))
        if not is_url(medium.text):
            return opened(self.album.path(medium.text), place, shortest)
        rules = PictureRules.of(medium.parameter.rules)
        data = fetched(medium.text, rules.max_bytes, place)
        check_picture(data, rules, place)
        return opened(io.BytesIO(data), place, shortest)


def _is_elsewhere(source: str) -> bool:
    return is_url(source) and not on_loopback(source)


def _of_role(media: Sequence[Medium], roles: Sequence[str]) -> Medium | None:
    """The picture of the first of these roles that is there."""
    pictures = [each for each in media if each.parameter.kind is MediaKind.IMAGE and each.parameter.role in roles]
    return min(pictures, key=lambda each: roles.index(each.parameter.role), default=None)


def _how(is_painted: bool, has_ending: bool, has_sound: bool) -> str:
    """How a clip was made, in a sentence or two."""
    moved = f"moving a camera over {'a painted scene' if is_painted else 'the picture'}"
    ending = ", and by fading to another picture" if has_ending else ""
    return f"Made by the reelrun sandbox by {moved}{ending}.{' The sound is a tone.' if has_sound else ''}"


def _metadata(request: Request, how: str) -> Mapping[str, str]:
    return {
        "title": "Sandbox clip",
        "artist": "reelrun sandbox",
        "comment": f"{how} Not AI generated. model={request.model} request_id={request.request_id}",
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
