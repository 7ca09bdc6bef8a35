"""Where videos go below `videos/`: paths that no name from a manifest or a table can lead out of that folder."""

from __future__ import annotations

import hashlib
import re
import unicodedata

# Names that Windows keeps for devices, with any extension
# (https://learn.microsoft.com/windows/win32/fileio/naming-a-file).
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)
# A path that is safe as it is, as nearly all are: ASCII, no part that begins or ends with a dot or has a doubtful end.
_PLAIN = re.compile(r"(?:[\w~=,+-](?:[\w~=,.+-]*[\w~=,+-])?/){0,11}[\w~=,+-](?:[\w~=,.+-]*[\w~=,+-])?", re.ASCII)
# In a path in small letters that begins with a slash: patterns that begin with a sign are searched for quickly.
_DEVICE_INSIDE = re.compile(r"/(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:[./]|$)")
_OUR_END_INSIDE = re.compile(r"\.(?:mp4|jpg|part|etag)/")
_SIGNS = re.compile(r'[<>:"|?*\\\s]+')
_TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_LONGEST_SEGMENT = 160  # bytes, with room for what is added to it
_MOST_SEGMENTS = 12
# What we add to paths: a folder of that name would stand in the way of a file.
_OUR_ENDS = (".mp4", ".jpg", ".part", ".etag")


def unsafe_text(template: str) -> str | None:
    """What is wrong with the text of an output template itself (not with what its variables hold), or None."""
    text = _TEMPLATE.sub(lambda found: "x" if found.group().startswith("{{") else "", template)
    parts = text.split("/")
    if text.startswith("/") or re.match(r"[A-Za-z]:", text) or "\\" in text:
        return "it must be a relative path with forward slashes"
    if any(part.strip() in (".", "..") for part in parts):
        return "it must not contain '.' or '..' as a folder"
    if text.lower().endswith(".mp4"):
        return "leave out .mp4, which every path gets"
    if any(not part.strip() for part in parts):
        return "it has an empty part between its slashes" if len(parts) > 1 else "it is empty"
    return None


def safe_path(text: str) -> str:
    """A rendered path made safe: relative, with no part that any disk would refuse or read as something else.

    A safe path is its own safe path.
    """
    if len(text) <= _LONGEST_SEGMENT and _PLAIN.fullmatch(text):
        small = f"/{text.lower()}"
        if not _DEVICE_INSIDE.search(small) and not _OUR_END_INSIDE.search(small):
            return text
    parts = [part for part in unicodedata.normalize("NFC", text).split("/") if part.strip(". ")] or ["_"]
    head, tail = parts[: _MOST_SEGMENTS - 1], parts[_MOST_SEGMENTS - 1 :]
    if tail:
        head.append("-".join(tail))
    *folders, name = head
    return "/".join((*(_safe_segment(part, is_folder=True) for part in folders), _safe_segment(name)))


def _safe_segment(part: str, *, is_folder: bool = False) -> str:
    shown = "".join("-" if unicodedata.category(sign).startswith("C") else sign for sign in part)
    shown = _SIGNS.sub("-", shown.strip()).rstrip(". ")
    if shown.startswith(".") or _DEVICES.fullmatch(shown) or not shown:
        shown = f"_{shown.lstrip('.')}"
    if is_folder and shown.lower().endswith(_OUR_ENDS):
        shown += "_"
    if len(shown.encode()) > _LONGEST_SEGMENT:
        digest = f"~{hashlib.sha256(shown.encode()).hexdigest()[:8]}"
        shown = shown.encode()[: _LONGEST_SEGMENT - len(digest)].decode(errors="ignore") + digest
    return shown
