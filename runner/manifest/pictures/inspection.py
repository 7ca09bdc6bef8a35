"""Checks the bytes of a picture against the rules of the models."""

from __future__ import annotations

import hashlib
import math
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from runner.diagnostics.words import joined, size
from runner.manifest.files import open_media
from runner.manifest.json_values import items
from runner.media import MediaParameter
from runner.video.stills import HEIC, DamagedError, Still, Stream, check_whole, header, is_see_through, kind

# A picture with more pixels counts as a decompression bomb. Pillow refuses to decode from about this number on.
MAX_PIXELS = 178_000_000
# What models take unless they say otherwise, and all that a schema can name.
_FORMATS = ("JPEG", "PNG")
FORMATS = (*_FORMATS, "WEBP", "GIF", "BMP")
_NAMED = {"a WebP picture": "WEBP", "a GIF picture": "GIF", "a BMP picture": "BMP"}
_USUAL_BITS = 8
# The command that makes a copy; who knows the manifest, adds its name.
FIXING = "reelrun fix-pictures"
_FIX = f"{FIXING} writes a copy that looks the same to everyone"
# By the values of EXIF's orientation.
_TURNS = {
    2: "mirrored",
    3: "turned upside down",
    4: "mirrored upside down",
    5: "mirrored and turned",
    6: "turned to the right",
    7: "mirrored and turned",
    8: "turned to the left",
}
# Other kinds of pictures that can be read, and saved as one of the above.
CONVERTIBLE = (HEIC, "an AVIF picture", "a WebP picture", "a GIF picture", "a BMP picture", "a TIFF picture")


@dataclass(frozen=True, slots=True)
class Rules:
    """What a parameter accepts as a picture, in bytes, pixels and width / height. None means no such rule."""

    max_bytes: int | None = None
    min_side: int | None = None
    aspect_ratio: tuple[float, float] | None = None
    formats: tuple[str, ...] = _FORMATS
    max_side: int | None = None

    @classmethod
    def of(cls, parameter: MediaParameter) -> Rules:
        """The rules in a schema that `read_model` has checked."""
        rules = parameter.rules
        ratio = [each for each in items(rules.get("aspectRatio")) if isinstance(each, (int, float))]
        bounds = {key: rules.get(key) for key in ("maxBytes", "minSide", "maxSide")}
        most, least, greatest = (each if isinstance(each, int) else None for each in bounds.values())
        formats = tuple(str(each).upper() for each in items(rules.get("formats")))
        return cls(most, least, (ratio[0], ratio[1]) if len(ratio) == 2 else None, formats or _FORMATS, greatest)


@dataclass(frozen=True, slots=True)
class PictureDiagnostic:
    """What is wrong with a picture. `message` continues a sentence that begins with the name of the picture."""

    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """The result of an inspection. `sha256` and the sizes are empty if there are diagnostics, which are errors.

    `warnings` are about what the service may see otherwise than people do.
    """

    diagnostics: tuple[PictureDiagnostic, ...] = ()
    sha256: str = ""
    size: int = 0
    width: int = 0
    height: int = 0
    warnings: tuple[PictureDiagnostic, ...] = ()


def inspect_file(path: Path, rules: Sequence[Rules]) -> Picture:
    """Open and check a picture file."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            what = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            return Picture((PictureDiagnostic("E401", f"is {what}"),))
        with open_media(path) as stream:
            return inspect(stream, status.st_size, rules)
    except FileNotFoundError:
        return Picture((PictureDiagnostic("E401", "does not exist"),))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Picture(
            (PictureDiagnostic("E401", f"cannot be read: {reason}", "check its permissions, and those of its folder"),)
        )


def inspect(stream: Stream, length: int, rules: Sequence[Rules]) -> Picture:
    """Check a picture of `length` bytes against the rules of each model. Raises OSError."""
    seems = kind(stream.read(512))
    found = _NAMED.get(seems, seems)
    formats = [each for each in FORMATS if all(each in rule.formats for rule in rules)]
    if found not in formats:
        return Picture((_of_kind(seems, formats),))
    diagnostics = of_bytes(length, rules)
    try:
        seen = header(stream, found)
        diagnostics += _of_pixels(seen.width, seen.height, rules)
        if not diagnostics:
            check_whole(stream, found)
    except DamagedError as error:
        diagnostics.append(PictureDiagnostic("E406", f"is damaged: {error}", "save or copy it anew"))
    if diagnostics:
        return Picture(tuple(dict.fromkeys(diagnostics)))
    warnings = tuple(PictureDiagnostic(code, message, _FIX) for code, message in _doubts(stream, found, seen))
    stream.seek(0)
    digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return Picture((), digest, length, seen.width, seen.height, warnings)


def _doubts(stream: Stream, format: str, seen: Still) -> Iterator[tuple[str, str]]:
    """The codes and messages of what the service may see otherwise than people do."""
    if seen.orientation > 1:
        yield "W414", f"is {_TURNS[seen.orientation]} by a note in it (EXIF); the service may not heed that"
    if seen.has_alpha and _is_see_through(stream, format):
        yield "W415", "has transparent parts; what the service puts behind them is not known"
    if seen.is_cmyk:
        yield "W416", "has the colours of print (CMYK); the service may show wrong ones"
    if seen.bits > _USUAL_BITS:
        yield "W417", f"has {seen.bits} bits a channel; a video has 8"
    if seen.is_animated:
        yield "W418", "is animated; the service most likely takes its first picture"
    if seen.has_more:
        yield "W419", "has further pictures in it, such as the gain map of an HDR photo; the service sees the first"


def _is_see_through(stream: Stream, format: str) -> bool:
    try:
        return is_see_through(stream, format)
    except DamagedError:
        # Whole by its checksums. What is in it, the service decides.
        return False


def _of_kind(found: str, formats: Sequence[str]) -> PictureDiagnostic:
    takes = joined(formats) or "no format that all models of the manifest take"
    if not found:
        words = f"neither {joined(formats, 'nor')}" if len(formats) > 1 else f"no {joined(formats) or 'picture'}"
        return PictureDiagnostic("E402", f"is {words} by its content", f"save it as {takes}")
    what = f"a {found} picture" if found in _FORMATS else found
    hint = f"save it as {takes}; another name is not enough"
    if found in CONVERTIBLE or found in _FORMATS:
        hint = f"save it as {takes} ({FIXING} does that); another name is not enough"
    return PictureDiagnostic("E402", f"is {what}; the API takes {takes}", hint)


def of_bytes(length: int, rules: Sequence[Rules]) -> list[PictureDiagnostic]:
    """What is wrong with a picture of so many bytes."""
    limits = [rule.max_bytes for rule in rules if rule.max_bytes is not None and length > rule.max_bytes]
    return [
        PictureDiagnostic(
            "E403",
            f"has {size(length)} ({length:,} bytes); the API takes at most {size(limit)} ({limit:,} bytes)",
            f"save it smaller: fewer pixels, or JPEG instead of PNG; {FIXING} does that",
        )
        for limit in limits[:1]
    ]


def _of_pixels(width: int, height: int, rules: Sequence[Rules]) -> list[PictureDiagnostic]:
    pixels = width * height
    if pixels > MAX_PIXELS:
        message = f"has {pixels / 1e6:,.0f} million pixels ({width} x {height}); at most 178 million are read"
        return [PictureDiagnostic("E407", message, "save it smaller; the video has at most 720 lines")]
    return [
        diagnostic
        for rule in rules
        for diagnostic in (*_of_sides(width, height, rule), *_of_ratio(width, height, rule))
    ]


def _of_sides(width: int, height: int, rule: Rules) -> list[PictureDiagnostic]:
    least, most = rule.min_side or 0, rule.max_side or math.inf
    sides = {"width": width, "height": height}
    short = [f"{name} {side} px" for name, side in sides.items() if side < least]
    long = [f"{name} {side} px" for name, side in sides.items() if side > most]
    if short:
        hint = "use a larger picture; well above the minimum looks best"
        return [PictureDiagnostic("E404", f"has {joined(short, 'and')}; the API takes at least {least} px", hint)]
    if long:
        hint = f"save it smaller; {FIXING} does that"
        return [PictureDiagnostic("E404", f"has {joined(long, 'and')}; the API takes at most {most} px", hint)]
    return []


def _of_ratio(width: int, height: int, rule: Rules) -> list[PictureDiagnostic]:
    ratio = width / height
    if rule.aspect_ratio is None or rule.aspect_ratio[0] <= ratio <= rule.aspect_ratio[1]:
        return []
    low, high = rule.aspect_ratio
    message = f"has the aspect ratio {_ratio(ratio)} ({width} x {height} px)"
    return [
        PictureDiagnostic(
            "E405", f"{message}; the API takes {_ratio(low)} to {_ratio(high)}", _crop(width, height, low, high)
        )
    ]


def _crop(width: int, height: int, low: float, high: float) -> str:
    if width > height:
        return f"crop it to a width of at most {int(height * high)} px"
    return f"crop it to a height of at most {int(width / low)} px" if low else ""


def _ratio(ratio: float) -> str:
    """Width to height, with 1 for the shorter side: `1:2.5`, `2.51:1`."""
    return f"{_short(ratio)}:1" if ratio >= 1 else f"1:{_short(1 / ratio)}" if ratio else "0:1"


def _short(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")
