"""`index.html` of what was published: the clips with their names and models, in one file beside them."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from runner.results import page
from runner.review.publishing.published_clip import PublishedClip

_TEMPLATES = Path(__file__).parent / "templates"
_LOOK = Path(page.__file__).parent / "templates" / "styles" / "base.css"


def handover_page(name: str, clips: Sequence[PublishedClip], marked: str, *, is_sandbox: bool) -> str:
    """`marked` says how the files are marked; empty if they are not."""
    style = Markup(_LOOK.read_text("utf-8") + (_TEMPLATES / "handover.css").read_text("utf-8"))
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template("handover.html.j2").render(
        name=name,
        clips=[_shown(clip) for clip in clips],
        marked=marked,
        is_sandbox=is_sandbox,
        style=style,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; media-src 'self' file:; img-src data:;"
        " base-uri 'none'; form-action 'none'",
    )


def _shown(clip: PublishedClip) -> dict[str, object]:
    video = clip.record.video
    size = f"{video.width} × {video.height}" if video is not None and video.width else ""
    length = f"{video.seconds:.1f} s" if video is not None and video.seconds else ""
    return {
        "title": clip.path,
        "link": page.link(clip.path),
        "facts": " · ".join(filter(None, (clip.record.model, clip.record.image, size, length))),
        "ratio": f"{video.width} / {video.height}" if video is not None and video.width and video.height else "16 / 9",
        "job": clip.record.id,
    }
