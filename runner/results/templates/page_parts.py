"""What pages are put together from: templates, styles and scripts as one file, and a policy that keeps others out."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from runner.model import Json

TEMPLATES = Path(__file__).parent


def styles(*files: Path, root: str = "") -> Markup:
    """Style sheets as one text; `root` are declarations for the whole page."""
    return Markup(f":root{{{root}}}\n" + "\n".join(map(_text, files)))


def scripts(*files: Path) -> Markup:
    """Scripts as one text, in their order. What they declare is known to all of them, and to nobody else."""
    joined = "\n".join(map(_text, files))
    return Markup(f'"use strict";\n{{\n{joined}}}\n')


def policy(style: str, script: str, connect: str = "'none'") -> str:
    """The Content-Security-Policy: whatever a prompt holds, only these two texts take effect.

    Nothing is sent anywhere but to `connect`.
    """
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; connect-src {connect}; "
        "img-src 'self' file: data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )


@cache
def environment(words: Callable[[Json], str], *folders: Path) -> Environment:
    """Where templates are found: in these folders, then in the shared one. `words` writes a value for people."""
    made = Environment(
        loader=FileSystemLoader((*folders, TEMPLATES)),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # Without sort_keys, which is Jinja's default: the page shows the members of a job in their order.
    made.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    made.filters["words"] = words
    return made


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
