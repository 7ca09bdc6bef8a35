"""What a request sends for each file in it: the file as text, or the address that it was put at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runner.api.body import FileText
from runner.media import Encoding, MediaParameter, media_of
from runner.model import Image, Variables

_TYPES = {".png": "image/png", ".webp": "image/webp", ".gif": "image/gif", ".bmp": "image/bmp"}


def files_of(
    payload: Variables,
    parameters: Sequence[MediaParameter],
    files: Mapping[str, Image],
    addresses: Mapping[str, str],
) -> dict[str, FileText | str]:
    """By reference: the address where there is one, else the file as text."""
    found: dict[str, FileText | str] = {}
    for medium in media_of(payload, parameters):
        if not medium.is_file or medium.text in found:
            continue
        if medium.text in addresses:
            found[medium.text] = addresses[medium.text]
        elif medium.text in files:
            found[medium.text] = FileText(files[medium.text], _prefix(medium.parameter, files[medium.text]))
    return found


def _prefix(parameter: MediaParameter, image: Image) -> str:
    if Encoding.BASE64 in parameter.encodings or Encoding.DATA not in parameter.encodings:
        return ""
    suffix = image.written[image.written.rfind(".") :].lower()
    return f"data:{_TYPES.get(suffix, 'image/jpeg')};base64,"
