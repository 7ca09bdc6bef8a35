"""`review`: look at clips, and say what one thinks of them."""

from __future__ import annotations

import argparse
import getpass
import os
import signal
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from types import FrameType
from urllib.parse import urlsplit

from runner import campaign
from runner.cli import screen
from runner.cli.options import command_line, manifest_of, state_of
from runner.errors import Exit, StateError, UsageError
from runner.model import Manifest
from runner.results.page import Serving
from runner.review.clips.reviewed_clips import ReviewedClip, reviewed_clips
from runner.review.clips.sound_clips import SoundClips
from runner.review.page_folder import contents, write_parcel
from runner.review.sent_back import take_in_file
from runner.review.serving.served_files import ServedFiles
from runner.review.serving.sitting import Sitting, sitting_file
from runner.review.session import PAIRS, Desk, Session
from runner.review.voting_page import VotingPage
from runner.shipped import install_line
from runner.verdicts.reviewer import reviewer_of
from runner.verdicts.verdict_files import TakenIn, file_of, folder_of, read
from runner.verdicts.votes import counted

_SHOWN = 20


def review(options: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C; or make a page for people elsewhere, or take in what they send back."""
    manifest, _ = manifest_of(options)
    if options.take_in is not None:
        return _take_in(options, manifest)
    clips = _clips(options, manifest)
    if options.page is not None:
        return _make_page(options, manifest, clips)
    by = reviewer_of(options.reviewer, manifest.path.parent)
    with sitting_file(manifest.output.dir, by) as file:
        sitting = file.resumed()
        with _served(options, manifest, clips, by, sitting) as address:
            file.keep(sitting, urlsplit(address).port or 0)
            _tell(options, manifest, by, address)
            _wait()
    screen.say("", "The review ends; what was said is kept.")
    screen.say(f"Next: {command_line(options, 'index')}        (the page and the tables with all marks)")
    return Exit.DONE


def _make_page(options: argparse.Namespace, manifest: Manifest, clips: tuple[ReviewedClip, ...]) -> int:
    """Write a page for people elsewhere."""
    by = "" if options.reviewer is None else reviewer_of(options.reviewer, manifest.path.parent)
    mode, verdicts = options.mode or PAIRS, _folder(options, manifest)
    present = {clip.job: clip.sha256 for clip in clips}
    found = contents(clips, mode, counted(read(verdicts), present).votes, SoundClips(screen.say))
    if not found.tasks:
        raise UsageError("there is nothing to compare", "cull shows single clips: --mode cull")
    page = VotingPage(manifest.name, manifest.review.question, manifest.review.reasons, by, mode)
    parcel = write_parcel(Path(options.page), verdicts, found, page)
    if options.json:
        screen.document(
            {"page": parcel.id, "folder": str(parcel.folder.absolute()), "clips": parcel.clips, "tasks": parcel.tasks}
        )
        return Exit.DONE
    screen.report(
        f"{screen.shown_path(parcel.folder)}: {parcel.tasks:,} to judge, {screen.count(parcel.clips, 'clip')}."
    )
    take_in = command_line(options, "review", "--take-in", "FILE")
    screen.report("Zip the folder and send it; index.html in it opens from the disk.", f"What comes back: {take_in}")
    return Exit.DONE


def _take_in(options: argparse.Namespace, manifest: Manifest) -> int:
    """Append what somebody sends back to the verdicts."""
    store = state_of(manifest)
    if store is None:
        raise StateError("there are no clips yet that verdicts may be about", command_line(options, "run"))
    with store:
        jobs = {record.id for record in store.records()}
    taken = take_in_file(Path(options.take_in), _folder(options, manifest), jobs, datetime.now(UTC))
    if options.json:
        told = [{"file": each.file, "line": each.line, "why": each.why} for each in taken.uncounted]
        screen.document({"new": dict(taken.new), "known": taken.known, "not_taken": told})
    else:
        _show_taken(taken)
    return Exit.DONE if taken.new or taken.known or not taken.uncounted else Exit.INVALID


def _show_taken(taken: TakenIn) -> None:
    for each in taken.uncounted[:_SHOWN]:
        screen.show(f"not taken: {each.file}:{each.line}: {each.why}")
    if len(taken.uncounted) > _SHOWN:
        screen.show(f"... and {len(taken.uncounted) - _SHOWN:,} more; --json lists all")
    new = ", ".join(f"{screen.count(number, 'new line')} by {by}" for by, number in sorted(taken.new.items()))
    screen.report(f"{new or 'Nothing new'}, {taken.known:,} known, {len(taken.uncounted):,} not taken.")


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
    session, files = Session(desk, screen.say), ServedFiles(manifest.output.dir, sitting.secret)
    try:
        from runner.review.serving.review_app import SHEET, ReviewApp
        from runner.review.serving.review_server import serving
    except ImportError as error:
        raise UsageError(f"review needs {error.name}", install_line("web")) from error

    def page(mode: str) -> str:
        if mode == SHEET:
            return _sheet(
                manifest, Serving(by, {clip.job: name for name, clip in session.names.clips.items()}, files.address)
            )
        return VotingPage(manifest.name, manifest.review.question, manifest.review.reasons, by, mode).text()

    app = ReviewApp(session, page, options.mode or PAIRS, files).build()
    with serving(app, sitting.token, sitting.port) as address:
        yield address


def _sheet(manifest: Manifest, serving: Serving) -> str:
    """The page of all clips, with the marks of this moment."""
    store, file = state_of(manifest), StringIO()
    if store is None:
        raise StateError(f"the state at {manifest.output.state} is gone", "end the review, and look for it")
    with store:
        campaign.write_page(file, manifest, store, time.time(), serving)
    return file.getvalue()


def _folder(options: argparse.Namespace, manifest: Manifest) -> Path:
    return folder_of(manifest.path, is_sandbox=options.sandbox)


def _tell(options: argparse.Namespace, manifest: Manifest, by: str, address: str) -> None:
    verdicts = screen.shown_path(file_of(_folder(options, manifest), by))
    if options.json:
        screen.document({"manifest": str(manifest.path), "by": by, "address": address, "verdicts": verdicts})
        sys.stdout.flush()
        return
    screen.alert(f"Review by {by}: {address}")
    if "SSH_CONNECTION" in os.environ:
        screen.alert(f"On the machine before you: {_forward(address)}        (then open the address there)")
    screen.say(f"Verdicts go to {verdicts}. Ctrl-C ends the review.")
    if _has_display():
        webbrowser.open(address)


def _forward(address: str) -> str:
    """The line that makes the port of this machine one of the machine that the reviewer sits at."""
    port = urlsplit(address).port
    fields = os.environ["SSH_CONNECTION"].split()
    host = fields[2] if len(fields) == 4 else "HOST"
    return f"ssh -N -L {port}:127.0.0.1:{port} {_user()}@{host}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A user without an account, as in a container.
        return "USER"


def _has_display() -> bool:
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _wait() -> None:
    """Until Ctrl-C."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    with suppress(KeyboardInterrupt):
        while True:
            signal.pause()


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
