"""Readable names of jobs: `shoe/plain/surface=wet-rock,cfg=0.3/take-1`."""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache

from runner.model import Json, Manifest, Variables
from runner.planning.templates.slugs import slug

# In bytes. A segment becomes a folder name, which may have 255 bytes on all common file systems.
_LONGEST_SEGMENT = 120
_SAFE_ID = re.compile(r"[\w][\w.+-]{0,59}")


def head_of(manifest: Manifest, image: str, prompt: str, model: str) -> str:
    """The common beginning of the keys of all cells of an image, a prompt and a model. `image` may be empty."""
    parts = [*([segment(image)] if image else []), segment(prompt)]
    if manifest.axis_of_models:
        parts.append(segment(model))
    return "/".join(parts)


def key_of(head: str, variables: Variables, take: int) -> str:
    """The key of a cell. Two keys can be equal if names differ only in punctuation; the plan makes them different."""
    return f"{head}/{_variant(variables)}/take-{take}" if variables else f"{head}/take-{take}"


def told_apart(key: str, job_id: str) -> str:
    """The key of a job if another job has the same plain key."""
    return f"{key}~{job_id[:8]}"


def segment(name: str) -> str:
    """An id as part of a key: unchanged if it is safe on every disk, else its slug."""
    return name if _SAFE_ID.fullmatch(name) and not name.endswith(".") else slug(name, keeps_case=True)


def _variant(variables: Variables) -> str:
    text = ",".join([f"{name}={_value(value)}" for name, value in variables.items()])
    if len(text) * 4 <= _LONGEST_SEGMENT or len(text.encode()) <= _LONGEST_SEGMENT:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{text.encode()[:_LONGEST_SEGMENT].decode(errors='ignore')}~{digest}"


def _value(value: Json) -> str:
    if isinstance(value, str):
        return _slug(value)
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return _slug(json.dumps(value, ensure_ascii=False))


# An axis has few values, and each of them is in many keys.
@lru_cache(maxsize=4096)
def _slug(text: str) -> str:
    return slug(text, keeps_case=True)
