"""Pictures: every kind of source to checked images."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from runner.manifest.diagnostics import Diagnostics
from runner.manifest.ids import Claim, sound_claims
from runner.manifest.nearby import nearby
from runner.manifest.pictures import Flaw, Picture, Rules, inspect, inspect_file
from runner.manifest.places import Candidate, Entry, candidates
from runner.model import Image, Origin

# Returns the bytes of a URL; raises OSError.
Fetch: TypeAlias = Callable[[str], bytes]

_FETCHES = 8


def read_images(
    entries: Sequence[Entry], base: Path, rules: Sequence[Rules], found: Diagnostics, fetch: Fetch | None = None
) -> tuple[Image, ...]:
    """The images that are sound; the problems of the others are reported."""
    all_of_them = [
        candidate
        for index, entry in enumerate(entries)
        for candidate in candidates(entry, ("images", index), base, found)
    ]
    claims = [Claim(each.image.id, each.id_place, each.kind, each.label) for each in all_of_them]
    has_id = sound_claims(claims, "image", found)
    pictures = _inspected(all_of_them, rules, fetch)
    images = []
    for candidate, is_named in zip(all_of_them, has_id, strict=True):
        picture = pictures.get(_source(candidate.image), Picture())
        for flaw in picture.flaws:
            _report(candidate, flaw, base, found)
        if is_named and not picture.flaws:
            images.append(_image(candidate, picture))
    return tuple(images)


def _source(image: Image) -> tuple[Origin, str]:
    """What tells pictures apart: each is inspected once."""
    return image.origin, image.location


def _inspected(
    found: Sequence[Candidate], rules: Sequence[Rules], fetch: Fetch | None
) -> Mapping[tuple[Origin, str], Picture]:
    sources = list(dict.fromkeys(_source(each.image) for each in found))
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
    image = replace(candidate.image, written=candidate.label if candidate.image.origin == Origin.FILE else "")
    reference = image.location if image.origin == Origin.URL else f"sha256:{picture.sha256}"
    if not picture.sha256:
        return replace(image, reference=reference)
    return replace(image, reference=reference, size=picture.size, width=picture.width, height=picture.height)
