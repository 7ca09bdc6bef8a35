"""The page on which reviewers say what they think: small, apart from the others, and it names as little as it can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from runner.results.page import words
from runner.results.templates.page_parts import TEMPLATES, environment, policy, scripts, styles
from runner.review.session import MODES

_OWN = Path(__file__).parent / "templates"
_STYLES = (TEMPLATES / "styles/base.css", TEMPLATES / "styles/view.css", _OWN / "review.css")
# In the order in which they run.
_SHARED = ("elements", "deck", "bindings")
_SCRIPTS = ("stage", "notes", "sending", "elsewhere", "pairs", "best", "cull", "begin")


@dataclass(frozen=True, slots=True)
class VotingPage:
    """What a page is made of. `by` is empty where the page asks for the reviewer's name."""

    name: str
    question: str
    reasons: tuple[str, ...]
    by: str
    mode: str

    def text(self, parcel: Mapping[str, object] | None = None) -> str:
        """The page, as HTML. `parcel` is for one without a server: its id, and what it shows."""
        style = styles(*_STYLES)
        script = scripts(
            *(TEMPLATES / f"scripts/{name}.js" for name in _SHARED), *(_OWN / f"scripts/{name}.js" for name in _SCRIPTS)
        )
        return (
            environment(words, _OWN)
            .get_template("review.html.j2")
            .render(
                page=self,
                parcel=parcel,
                modes=(*MODES, "sheet") if parcel is None else (),
                data={"mode": self.mode, "reasons": self.reasons, "by": self.by, "parcel": parcel},
                style=style,
                script=script,
                policy=policy(style, script, "'self'" if parcel is None else "'none'"),
            )
        )
