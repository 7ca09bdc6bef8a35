"""`publish`: the picked clips under good names, marked, with a list of what each is."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.cli import screen
from runner.cli.options import command_line, manifest_of, selection_of, state_of
from runner.diagnostics.suggestions import known_here, unexpanded
from runner.errors import Exit, StateError, UsageError
from runner.model import Manifest
from runner.planning.matches import Matches
from runner.review.publishing.destination import Fate
from runner.review.publishing.edit_lists import check_file
from runner.review.publishing.marks.certificates import SELF, Certificate, certificate_of, trial_certificate
from runner.review.publishing.marks.signing import check_extra
from runner.review.publishing.places.published_place import LIST
from runner.review.publishing.publication import Publication
from runner.review.publishing.publication import publish as publish_picks
from runner.review.publishing.publish_order import PublishOrder
from runner.state.store import Store
from runner.verdicts.picks import RULES
from runner.verdicts.verdict_files import folder_of, reviewers_in

_SHOWN = 20
_TRIAL = "trial-certificate"


def publish(options: argparse.Namespace) -> int:
    """Publish what is picked."""
    _check_flags(options)
    to = _place(options.to)
    manifest, _ = manifest_of(options)
    if options.picks is not None:
        manifest = _with_rule(manifest, options.picks)
    store = state_of(manifest)
    if store is None:
        raise StateError(
            f"there is no state at {manifest.output.state} yet", command_line(options, "run") + " makes it"
        )
    with store:
        done = _published(options, manifest, store, to)
    if options.json:
        screen.document(_document(manifest, to, done))
    else:
        _show(options, to, done)
    if done.trouble is not None:
        return done.trouble.exit_code
    return Exit.JOBS_FAILED if done.failed or done.of(Fate.EDITED) else Exit.DONE


def _place(to: str) -> Path | Bucket:
    """Raises UsageError for what is neither a folder nor a place in a bucket."""
    if is_bucket_address(to):
        return Bucket.open(BucketAddress.of(to))
    if "://" in to:
        raise UsageError(f"--to {to} is no folder and no bucket", "buckets are s3://BUCKET/PATH, gs://... and az://...")
    if unexpanded(to) and not Path(to).exists():
        hint = "a shell replaces it where it stands alone, without quotes: --to ~/handover"
        raise UsageError(f"--to {to} would make a folder of that name", hint)
    return Path(to).resolve()


def _published(options: argparse.Namespace, manifest: Manifest, store: Store, to: Path | Bucket) -> Publication:
    selection = selection_of(options, manifest).at(store)
    matches = Matches(selection)
    matches.see(store.records())
    matches.check()
    order = PublishOrder(
        to=to,
        name=options.name,
        marks=options.mark,
        with_prompt=options.with_prompt,
        certificate=_certificate(options, manifest),
        has_label=options.label,
        is_anonymous=options.anonymous,
        zip=_file(options.zip),
        sheet=_file(options.sheet),
        timelines=tuple(file for each in (options.edl, options.otio) if (file := _file(each)) is not None),
    )
    return publish_picks(manifest, store, selection, order)


def _with_rule(manifest: Manifest, rule: str) -> Manifest:
    """The manifest with this rule of picks. Raises UsageError for one that is none, and no reviewer either."""
    known = (*RULES, *reviewers_in(folder_of(manifest.path, is_sandbox=manifest.is_sandbox)))
    if rule not in known:
        raise UsageError(
            f"--picks {rule} is no rule, and nobody of that name has said anything", known_here(rule, known)
        )
    return replace(manifest, review=replace(manifest.review, picks=rule))


def _file(path: str | None) -> Path | None:
    return None if path is None else Path(path).resolve()


def _check_flags(options: argparse.Namespace) -> None:
    """Raises UsageError for flags that mean nothing without others, and for files of a wrong kind."""
    for flag, needed in (("with_prompt", "mark"), ("certificate", "mark"), ("private_key", "certificate")):
        if getattr(options, flag) and not getattr(options, needed):
            name, other = (f"--{each.replace('_', '-')}" for each in (flag, needed))
            raise UsageError(f"{name} needs {other}", f"add {other}, or leave {name} out")
    if options.certificate and options.certificate != SELF and not options.private_key:
        raise UsageError("--certificate needs --private-key", "give the key of the certificate; 'self' makes both")
    for flag in ("zip", "sheet", "edl", "otio"):
        path = getattr(options, flag)
        if path is not None and is_bucket_address(path):
            raise UsageError(f"--{flag} {path} is no file of this machine", f"write --{flag} FILE, and copy it there")
    for path, endings in ((options.edl, (".edl",)), (options.otio, (".otio", ".fcpxml")), (options.zip, (".zip",))):
        if path is not None and Path(path).suffix.lower() not in endings:
            raise UsageError(f"{path} has another ending than such a file", f"let it end in {' or '.join(endings)}")
    for path in filter(None, (options.edl, options.otio)):
        check_file(Path(path))


def _certificate(options: argparse.Namespace, manifest: Manifest) -> Certificate | None:
    if options.certificate is None:
        return None
    check_extra()
    if options.certificate == SELF:
        screen.say("Signed with a certificate for trying, which nobody trusts: get one of your own to publish.")
        return trial_certificate(manifest.output.dir / _TRIAL)
    return certificate_of(Path(options.certificate), Path(options.private_key))


def _document(manifest: Manifest, to: Path | Bucket, done: Publication) -> dict[str, object]:
    return {
        "manifest": str(manifest.path),
        "to": str(to),
        "clips": done.clips,
        **{str(fate): done.of(fate) for fate in Fate},
        "failed": [{"path": path, "message": message} for path, message in done.failed.items()],
        "orphaned": done.orphaned,
    }


def _show(options: argparse.Namespace, to: Path | Bucket, done: Publication) -> None:
    _say_first([f"Not published: {path}: {message}" for path, message in done.failed.items()])
    if done.trouble is not None:
        again = "then run the same command again: nothing is lost, and what is there stays"
        screen.alert(f"  {screen.bold('help:')} {done.trouble.hint}, {again}")
    changed = "it was changed since, or is another's; move it away to have it anew"
    _say_first([f"Left as it is: {path}: {changed}" for path in done.of(Fate.EDITED)])
    if done.orphaned:
        jobs = screen.count(done.orphaned, "picked clip")
        screen.say(f"Left out: {jobs} of jobs that the manifest does not have any more")
    if not done.clips and not done.fates:
        screen.report("Nothing is picked, and nothing was written.", f"Next: {command_line(options, 'review')}")
        return
    counts = [f"{len(done.of(fate)):,} {fate}" for fate in (Fate.WRITTEN, Fate.REMOVED) if done.of(fate)]
    folder = screen.shown_path(to) if isinstance(to, Path) else str(to)
    screen.report(f"{screen.count(done.clips, 'clip')} in {folder}: files {', '.join(counts) or 'all as they were'}.")
    if done.clips:
        screen.report(f"Page: {folder}/index.html   List: {folder}/{LIST}")
    else:
        screen.report("Nothing is picked.", f"Next: {command_line(options, 'review')}")


def _say_first(lines: list[str]) -> None:
    screen.alert(*lines[:_SHOWN], *([f"... and {len(lines) - _SHOWN:,} more"] if len(lines) > _SHOWN else []))
