"""The clips one after the other for an editor: EDL, OpenTimelineIO, and Final Cut's XML.

The reel of a clip is the first 8 digits of its job, which its file keeps whatever it is called.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runner.errors import UsageError
from runner.review.publishing.published_clip import PublishedClip
from runner.shipped import install_line

if TYPE_CHECKING:
    import opentimelineio

_REEL = 8
_ALIKE = 0.001
# By the ending of the file.
_ADAPTERS = {".edl": "cmx_3600", ".otio": "otio_json", ".fcpxml": "fcpx_xml"}


def check_file(file: Path) -> None:
    """Raises UsageError where the package for such a file is missing."""
    try:
        import opentimelineio

        known = opentimelineio.adapters.available_adapter_names()
    except ImportError:
        known = []
    if _ADAPTERS[file.suffix.lower()] not in known:
        raise UsageError(f"{file.suffix} needs OpenTimelineIO and its adapter", install_line("edit"))


def rate_of(clips: Sequence[PublishedClip], *, is_timecode: bool) -> float:
    """The one frame rate of the clips. Raises UsageError where they have several, or one that no timecode has."""
    from opentimelineio.opentime import RationalTime

    rates: dict[float, PublishedClip] = {}
    for clip in clips:
        fps = clip.record.video.fps if clip.record.video is not None else None
        if not fps:
            raise UsageError(f"the frame rate of {clip.record.key} is not known", "leave it out with --skip")
        same = next((rate for rate in rates if abs(rate - fps) < _ALIKE * fps), fps)
        rates.setdefault(same, clip)
    if len(rates) > 1:
        told = ", ".join(f"{rate:g} ({clip.record.key})" for rate, clip in rates.items())
        raise UsageError(f"the clips have several frame rates: {told}", "publish those of one rate: --only, --where")
    rate = next(iter(rates), 24.0)
    nearest = float(RationalTime.nearest_smpte_timecode_rate(rate))
    if abs(nearest - rate) < _ALIKE * rate:
        return nearest
    if is_timecode:
        raise UsageError(f"no timecode counts {rate:g} frames a second", "--otio FILE.otio takes any rate")
    return rate


def timeline_text(name: str, clips: Sequence[PublishedClip], file: Path, folder: Path) -> str:
    """The text of the file, with the clips relative to it."""
    import opentimelineio as otio

    rate = rate_of(clips, is_timecode=file.suffix.lower() == ".edl")
    timeline = otio.schema.Timeline(name, global_start_time=otio.opentime.RationalTime(0, rate))
    track = otio.schema.Track("clips", kind=otio.schema.TrackKind.Video)
    timeline.tracks.append(track)
    for clip in clips:
        track.append(_clip(clip, rate, os.path.relpath(folder / clip.path, file.parent)))
    adapter = _ADAPTERS[file.suffix.lower()]
    return str(otio.adapters.write_to_string(timeline, adapter, **({"rate": rate} if adapter == "cmx_3600" else {})))


def _clip(clip: PublishedClip, rate: float, path: str) -> opentimelineio.schema.Clip:
    import opentimelineio as otio

    record = clip.record
    seconds = record.video.seconds if record.video is not None else None
    whole = otio.opentime.TimeRange(
        otio.opentime.RationalTime(0, rate), otio.opentime.RationalTime(round((seconds or 0.0) * rate), rate)
    )
    metadata: dict[str, Any] = {
        "cmx_3600": {"reel": record.id[:_REEL]},
        "reelrun": {"job": record.id, "key": record.key, "model": record.model, "request_id": record.request_id},
    }
    file = otio.schema.ExternalReference(target_url=quote(path), available_range=whole)
    return otio.schema.Clip(Path(clip.path).name, media_reference=file, source_range=whole, metadata=metadata)
