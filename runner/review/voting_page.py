"""The page on which reviewers say what they think: small, apart from the others, and it names as little as it can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.results.page import words
from runner.results.page_parts import TEMPLATES, environment, policy, scripts, styles
from runner.review.session import MODES

_OWN = Path(__file__).parent / "templates"
_STYLES = (TEMPLATES / "styles/base.css", TEMPLATES / "styles/view.css", _OWN / "review.css")
# In the order in which they run.
_SHARED = ("elements", "deck", "bindings")
_SCRIPTS = ("stage", "notes", "sending", "pairs", "best", "cull", "begin")


@dataclass(frozen=True, slots=True)
class VotingPage:
    """What a page is made of. `parcel` is what a page without a server knows: its id, and what it shows."""

    name: str
    question: str
    reasons: tuple[str, ...]
    by: str
    mode: str
    parcel: Mapping[str, object] | None = field(default=None, repr=False)

    def text(self) -> str:
        """The page, as HTML."""
        style = styles(*_STYLES)
        script = scripts(
            *(TEMPLATES / f"scripts/{name}.js" for name in _SHARED), *(_OWN / f"scripts/{name}.js" for name in _SCRIPTS)
        )
        return (
            environment(words, _OWN)
            .get_template("review.html.j2")
            .render(
                page=self,
                modes=MODES if self.parcel is None else (),
                data={"mode": self.mode, "reasons": self.reasons, "by": self.by, "parcel": self.parcel},
                style=style,
                script=script,
                policy=policy(style, script, "'self'" if self.parcel is None else "'none'"),
            )
        )
