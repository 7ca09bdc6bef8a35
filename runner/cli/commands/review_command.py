"""`review`: look at clips, and say what one thinks of them."""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from runner.cli import screen
from runner.cli.options import command_line, manifest_of, state_of
from runner.errors import Exit, StateError, UsageError
from runner.model import Manifest
from runner.review.reviewed_clips import ReviewedClip, reviewed_clips
from runner.review.session import PAIRS, Desk, Session
from runner.review.sitting import Sitting, sitting_file
from runner.review.voting_page import VotingPage
from runner.shipped import install_line
from runner.verdicts.reviewer import reviewer_of
from runner.verdicts.verdict_files import file_of, folder_of


def review(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C; or make a page for people elsewhere, or take in what they send back."""
    manifest, _ = manifest_of(options)
    by = reviewer_of(options.as_name, manifest.path.parent)
    clips = _clips(options, manifest)
    with sitting_file(manifest.output.dir, by) as file:
        sitting = file.resumed()
        with _served(options, manifest, clips, by, sitting) as address:
            file.keep(sitting, urlsplit(address).port or 0)
            _tell(options, manifest, by, address)
            _wait()
    return Exit.DONE


def _clips(options: argparse.Namespace, manifest: Manifest) -> tuple[ReviewedClip, ...]:
    """The clips that there are. Raises StateError if there are none."""
    store = state_of(manifest)
    if store is not None:
        with store:
            clips = tuple(reviewed_clips(store, manifest.output.dir))
        if clips:
            return clips
    raise StateError("there are no clips to review yet", f"{command_line(options, 'run')} makes them")


@contextmanager
def _served(
    options: argparse.Namespace, manifest: Manifest, clips: tuple[ReviewedClip, ...], by: str, sitting: Sitting
) -> Iterator[str]:
    """Serve a session. Gives its address."""
    folder = _folder(options, manifest)
    desk = Desk(clips, folder, by, sitting.secret, manifest.review.reasons, sitting.since)
    session = Session(desk, screen.say)

    def page(mode: str) -> str:
        return VotingPage(manifest.name, manifest.review.question, manifest.review.reasons, by, mode).text()

    try:
        from runner.review.review_app import ReviewApp
        from runner.review.review_server import serving
    except ImportError as error:
        raise UsageError(f"review needs {error.name}", install_line("web")) from error
    app = ReviewApp(session, page, options.mode or PAIRS).build()
    with serving(app, sitting.token, sitting.port) as address:
        yield address


def _folder(options: argparse.Namespace, manifest: Manifest) -> Path:
    return folder_of(manifest.path, is_sandbox=options.sandbox)


def _tell(options: argparse.Namespace, manifest: Manifest, by: str, address: str) -> None:
    verdicts = screen.shown_path(file_of(_folder(options, manifest), by))
    if options.json:
        screen.document({"manifest": str(manifest.path), "by": by, "address": address, "verdicts": verdicts})
        sys.stdout.flush()
        return
    screen.say(f"Review by {by}: {address}")
    if "SSH_CONNECTION" in os.environ:
        screen.say(f"On the machine before you: {_forward(address)}        (then open the address there)")
    screen.say(f"Verdicts go to {verdicts}. Ctrl-C ends the review.")
    if _has_display():
        webbrowser.open(address)


def _forward(address: str) -> str:
    """The line that makes the port of this machine one of the machine that the reviewer sits at."""
    port = urlsplit(address).port
    fields = os.environ["SSH_CONNECTION"].split()
    host = fields[2] if len(fields) == 4 else "HOST"
    return f"ssh -N -L {port}:127.0.0.1:{port} {getpass.getuser()}@{host}"


def _has_display() -> bool:
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _wait() -> None:
    """Until Ctrl-C."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        screen.say("", "The review ends; what was said is kept.")


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
