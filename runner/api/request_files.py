"""What a request sends for each file in it: the file as text, or the address that it was put at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.api.body import FileText
from runner.media import Encoding, MediaParameter, media_of
from runner.model import Image, Variables
from runner.video.file_types import content_type

_UNKNOWN_TYPE = "application/octet-stream"


def files_of(
    payload: Variables,
    parameters: Iterable[MediaParameter],
    files: Mapping[str, Image],
    addresses: Variables,
) -> dict[str, FileText | str]:
    """By reference: the address where there is one, else the file as text if the parameter takes that."""
    found: dict[str, FileText | str] = {}
    for medium in media_of(payload, parameters):
        image, inline = files.get(medium.text), medium.parameter.inline
        if medium.text in addresses:
            found[medium.text] = str(addresses[medium.text])
        elif medium.is_file and image is not None and inline is not None and medium.text not in found:
            found[medium.text] = FileText(image, _prefix(image) if inline is Encoding.DATA else "")
    return found


def _prefix(image: Image) -> str:
    """What a data URI begins with."""
    try:
        return f"data:{content_type(image) or _UNKNOWN_TYPE};base64,"
    except OSError:
        # The body tells that the file is gone.
        return ""
