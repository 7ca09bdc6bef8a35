"""Reads pictures from every kind of source to checked images."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.diagnostics.suggestions import nearby
from runner.diagnostics.words import command, quoted
from runner.manifest.ids import Claim, check_claims
from runner.manifest.pictures.bucket_pictures import BucketPicture, bucket_pictures
from runner.manifest.pictures.entries import Candidate, candidates
from runner.manifest.pictures.inspection import FIXING, Picture, PictureDiagnostic, Rules, inspect, inspect_file
from runner.manifest.reading_diagnostics import ReadingDiagnostics
from runner.model import Image, Json, Origin, Route

# Returns the bytes of a URL; raises OSError.
Fetch: TypeAlias = Callable[[str], bytes]

_FETCHES = 8


def read_images(
    entries: Sequence[Json], base: Path, rules: Sequence[Rules], found: ReadingDiagnostics, fetch: Fetch | None = None
) -> tuple[Image, ...]:
    """The images of all entries. Errors in them are reported."""
    known = [each for index, entry in enumerate(entries) for each in candidates(entry, ("images", index), base, found)]
    check_claims(map(_claim, known), "image", found)
    pictures = _fetched_urls(known, rules, fetch)
    stored = bucket_pictures(_in_buckets(known), rules, found.objects)
    pictures.update({(Origin.FILE, address): each.picture for address, each in stored.items()})
    for candidate in known:
        source = _source(candidate.image)
        if source not in pictures:
            # One by one: where too many are wrong, the rest is not opened.
            pictures[source] = _inspect(*source, rules)
        for diagnostic in pictures[source].diagnostics:
            _report(candidate, diagnostic, base, found)
    _warn(known, pictures, found)
    return tuple(_image(each, pictures[_source(each.image)], stored) for each in known)


def _in_buckets(known: Sequence[Candidate]) -> Iterator[BucketAddress]:
    locations = (each.image.location for each in known if each.image.origin is Origin.FILE)
    return map(BucketAddress.of, filter(is_bucket_address, locations))


def _claim(candidate: Candidate) -> Claim | None:
    """The claim to the picture's id; None if it has no id and that is reported already."""
    claim = Claim(candidate.image.id, candidate.id_place, candidate.kind, candidate.label)
    return claim if claim.id or candidate.id_place[-1] not in ("id", "base64") else None


def _source(image: Image) -> tuple[Origin, str]:
    """The identity of a picture before it is opened: pictures of one source are inspected once."""
    return image.origin, image.location


def _fetched_urls(
    found: Sequence[Candidate], rules: Sequence[Rules], fetch: Fetch | None
) -> dict[tuple[Origin, str], Picture]:
    """What is known of pictures at URLs: nothing, unless they are fetched."""
    urls = list(dict.fromkeys(_source(each.image) for each in found if each.image.origin == Origin.URL))
    if fetch is None or not urls:
        return dict.fromkeys(urls, Picture())
    with ThreadPoolExecutor(_FETCHES) as pool:
        return dict(zip(urls, pool.map(lambda source: _fetched(source[1], rules, fetch), urls), strict=True))


def _inspect(origin: Origin, location: str, rules: Sequence[Rules]) -> Picture:
    if origin == Origin.FILE:
        return inspect_file(Path(location), rules)
    data = base64.b64decode(location)
    return inspect(BytesIO(data), len(data), rules)


def _fetched(url: str, rules: Sequence[Rules], fetch: Fetch) -> Picture:
    try:
        data = fetch(url)
    except OSError as error:
        return Picture((PictureDiagnostic("E401", f"cannot be fetched: {error}", "open the address in a browser"),))
    return inspect(BytesIO(data), len(data), rules)


def _report(candidate: Candidate, diagnostic: PictureDiagnostic, base: Path, found: ReadingDiagnostics) -> None:
    path, hint = base / candidate.label, _hint(diagnostic, found)
    is_stored = is_bucket_address(candidate.label)
    if not hint and not is_stored and path.is_dir():
        hint = f"for the pictures in it write glob: {candidate.label}/*.png"
    elif diagnostic.code == "E402" and FIXING not in diagnostic.hint and _is_wide(candidate.pattern):
        narrow = quoted(os.path.join(os.path.dirname(candidate.pattern), "*.{jpg,png}"))
        hint = f"if it is no picture, leave it out: write glob: {narrow}"
    elif not hint and not is_stored:
        hint = "name a file that holds the picture" if path.exists() else nearby(path, candidate.label)
    found.error(diagnostic.code, candidate.place, f"{candidate.label} {diagnostic.message}", hint)


def _warn(
    known: Sequence[Candidate], pictures: Mapping[tuple[Origin, str], Picture], found: ReadingDiagnostics
) -> None:
    """One warning of a kind for each entry: phones save all their pictures alike."""
    doubtful: dict[tuple[Route, str], list[tuple[Candidate, PictureDiagnostic]]] = {}
    for candidate in known:
        for each in pictures[_source(candidate.image)].warnings:
            doubtful.setdefault((candidate.image.route[:2], each.code), []).append((candidate, each))
    for (first, diagnostic), *others in doubtful.values():
        count = len(others)
        more = f" ({count:,} more of this entry {'is' if count == 1 else 'are'} so, too)" if count else ""
        label = first.label if first.image.origin is not Origin.INLINE else repr(first.label)
        found.warning(diagnostic.code, first.place, f"{label} {diagnostic.message}{more}", _hint(diagnostic, found))


def _hint(diagnostic: PictureDiagnostic, found: ReadingDiagnostics) -> str:
    """The remedy, with the command as it is for this manifest."""
    return diagnostic.hint.replace(FIXING, command("fix-pictures", found.source.text.file))


def _is_wide(pattern: str) -> bool:
    """Whether a glob takes files of any ending."""
    return pattern != "" and os.path.splitext(pattern)[1] in ("", ".*")


def _image(candidate: Candidate, picture: Picture, stored: Mapping[str, BucketPicture]) -> Image:
    """The image with what its inspection found. A URL that was not fetched has no size."""
    known = stored.get(candidate.image.location)
    is_url = candidate.image.origin == Origin.URL
    reference = candidate.image.location if is_url else f"sha256:{picture.sha256}"
    written = candidate.label if candidate.image.origin == Origin.FILE else ""
    size, width, height = picture.size or None, picture.width or None, picture.height or None
    location = str(known.path) if known is not None else candidate.image.location
    image = replace(candidate.image, location=location)
    return replace(image, reference=reference, written=written, size=size, width=width, height=height)
