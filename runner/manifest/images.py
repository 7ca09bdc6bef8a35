"""Pictures: every kind of source to checked images."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from runner.manifest.diagnostics import Diagnostics
from runner.manifest.ids import Claim, sound_claims
from runner.manifest.nearby import nearby
from runner.manifest.pictures import Flaw, Picture, Rules, inspect, inspect_file
from runner.manifest.places import Candidate, candidates
from runner.model import Image, Json, Origin

# Returns the bytes of a URL; raises OSError.
Fetch: TypeAlias = Callable[[str], bytes]

_FETCHES = 8
# Width and height of a picture that could not be read, so that templates can compute with them. In pixels.
_USUAL_SIDE = 1000


@dataclass(frozen=True, slots=True)
class Images:
    """The images of a manifest, those with errors included. `are_all` tells whether there are no other ids."""

    all: tuple[Image, ...]
    are_all: bool


def read_images(
    entries: Sequence[Json], base: Path, rules: Sequence[Rules], found: Diagnostics, fetch: Fetch | None = None
) -> Images:
    """The images. What is wrong with them is reported; an id that cannot be used gives way to one that nobody has."""
    every = [
        candidate
        for index, entry in enumerate(entries)
        for candidate in candidates(entry, ("images", index), base, found)
    ]
    known = [each for each in every if each is not None]
    claims = list(map(_claim, known))
    has_id = sound_claims(claims, "image", found)
    pictures = _inspected(known, rules, fetch)
    images, are_all = [], None not in every and None not in claims
    for index, (candidate, is_named) in enumerate(zip(known, has_id, strict=True)):
        picture = pictures.get(_source(candidate.image), Picture())
        for flaw in picture.flaws if candidate.can_be_inspected else ():
            _report(candidate, flaw, base, found)
            # The name of a file that is not there may be misspelled, and with it the id.
            are_all &= flaw.code != "E401" or candidate.id_place != candidate.place
        image = _image(candidate, picture)
        images.append(image if is_named else replace(image, id=f"~{index}"))
    return Images(tuple(images), are_all)


def _claim(candidate: Candidate) -> Claim | None:
    """The claim to the picture's id; None where it has none because of a problem that is told already."""
    claim = Claim(candidate.image.id, candidate.id_place, candidate.kind, candidate.label)
    is_told = candidate.id_place[-1] in ("id", "base64") or not candidate.can_be_inspected
    return None if is_told and not claim.id else claim


def _source(image: Image) -> tuple[Origin, str]:
    """What tells pictures apart: each is inspected once."""
    return image.origin, image.location


def _inspected(
    found: Sequence[Candidate], rules: Sequence[Rules], fetch: Fetch | None
) -> Mapping[tuple[Origin, str], Picture]:
    sources = list(dict.fromkeys(_source(each.image) for each in found if each.can_be_inspected))
    pictures = {source: _inspect(*source, rules) for source in sources if source[0] != Origin.URL}
    urls = [source for source in sources if source[0] == Origin.URL]
    if fetch is not None and urls:
        with ThreadPoolExecutor(_FETCHES) as pool:
            fetched = pool.map(lambda source: _fetched(source[1], rules, fetch), urls)
            pictures.update(zip(urls, fetched, strict=True))
    return pictures


def _inspect(origin: Origin, location: str, rules: Sequence[Rules]) -> Picture:
    if origin == Origin.FILE:
        return inspect_file(Path(location), rules)
    data = base64.b64decode(location)
    return inspect(BytesIO(data), len(data), rules)


def _fetched(url: str, rules: Sequence[Rules], fetch: Fetch) -> Picture:
    try:
        data = fetch(url)
    except OSError as error:
        return Picture((Flaw("E401", f"cannot be fetched: {error}", "open the address in a browser"),))
    return inspect(BytesIO(data), len(data), rules)


def _report(candidate: Candidate, flaw: Flaw, base: Path, found: Diagnostics) -> None:
    path = base / candidate.label
    hint = flaw.hint
    if not hint and path.is_dir():
        hint = f"for the pictures in it write glob: {candidate.label}/*.png"
    found.error(flaw.code, candidate.place, f"{candidate.label} {flaw.message}", hint or nearby(path, candidate.label))


def _image(candidate: Candidate, picture: Picture) -> Image:
    """The image with what its inspection found. A URL that was not fetched has no size."""
    is_url = candidate.image.origin == Origin.URL and candidate.can_be_inspected
    reference = candidate.image.location if is_url else f"sha256:{picture.sha256}"
    written = candidate.label if candidate.image.origin == Origin.FILE else ""
    side = None if is_url else _USUAL_SIDE
    size, width, height = picture.size or None, picture.width or side, picture.height or side
    return replace(candidate.image, reference=reference, written=written, size=size, width=width, height=height)
