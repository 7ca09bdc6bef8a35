"""`verify`: are all files there and as recorded? With --repair, download again what the service still has."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import asdict

from runner import campaign
from runner.cli import error_handler as ending
from runner.cli import screen
from runner.cli.options import command_line, manifest_of, selection_of, state_of
from runner.cli.service_session import connection_of, interruptible, progress_of, to_sandbox
from runner.engine.mirror.mirror import Mirror
from runner.errors import Exit, StateError, worst
from runner.model import Credentials, JobRecord, Manifest
from runner.planning.matches import Matches
from runner.planning.selection import Selection
from runner.results import inventory
from runner.results.inventory import Inventory, Kind
from runner.results.mirror.mirror_inventory import MirrorInventory, take_mirror
from runner.shipped import install_line
from runner.state.store import Store
from runner.video.credentials import credentials_of

_SHOWN = 20
# The state of credentials that nobody could read.
_UNREAD = "unread"
_BROKEN = (Kind.MISSING, Kind.CHANGED)


def verify(options: argparse.Namespace) -> int:
    """Hash every artifact against the state and the index."""
    if options.repair:
        to_sandbox(options)
    manifest, _ = manifest_of(options)
    selection = selection_of(options, manifest)
    mirror = Mirror.of(manifest.output)
    taken, mirrored = _take_inventories(manifest, options, selection, mirror)
    if options.repair and (taken.of(*_BROKEN) or (mirrored is not None and mirrored.gaps)):
        _repair(options, manifest, taken, mirrored)
        taken, mirrored = _take_inventories(manifest, options, selection, mirror)
    credentials = _credentials(manifest, options, selection) if options.credentials else None
    if options.json:
        told = {} if credentials is None else {"credentials": [_told(*each) for each in credentials]}
        screen.document({**_document(taken, mirrored), **told})
    else:
        _show(options, taken, mirrored)
        _show_credentials(credentials or [], is_asked=options.credentials)
    codes = [Exit.UNAVAILABLE] if taken.of(*_BROKEN) else []
    if mirrored is not None and not mirrored.is_whole:
        codes.append(Exit.UNFINISHED)
    return worst(codes)


def _repair(
    options: argparse.Namespace, manifest: Manifest, taken: Inventory, mirrored: MirrorInventory | None
) -> None:
    progress = progress_of(options, manifest)
    result = campaign.repair(
        manifest, connection_of(options, manifest), taken, mirrored, progress=progress, on_start=interruptible
    )
    if progress is not None:
        progress.close()
    screen.say_aside(result.aside)
    for record in result.unfinished.first:
        screen.alert(f"  not repaired: {record.key}: {record.error or record.reason}")
    if result.unfinished.others:
        screen.alert(f"  ... and {result.unfinished.others:,} more")
    if result.error is not None:
        ending.tell(result.error, as_json=False)
    if result.mirror is not None and result.mirror.reason:
        screen.alert(f"  not copied: {result.mirror.reason}")


def _credentials(
    manifest: Manifest, options: argparse.Namespace, selection: Selection
) -> list[tuple[JobRecord, Credentials]]:
    """What the clips that are there say of their credentials, by jobs."""
    with _state_of(manifest, options) as store:
        records = [each for each in filter(selection.at(store).has, store.records()) if each.video is not None]
    files = [(each, manifest.output.dir / each.video.path) for each in records if each.video is not None]
    return [(record, credentials_of(file)) for record, file in files if file.is_file()]


def _told(record: JobRecord, found: Credentials) -> dict[str, object]:
    path = record.video.path if record.video is not None else None
    return {"path": path, "id": record.id, "key": record.key, **asdict(found)}


def _show_credentials(found: list[tuple[JobRecord, Credentials]], *, is_asked: bool) -> None:
    present = [(record, each) for record, each in found if each.present]
    for record, each in present[:_SHOWN]:
        words = ", ".join(filter(None, (each.issuer, each.source_type)))
        path = record.video.path if record.video is not None else ""
        screen.show(f"  {each.state or _UNREAD:<9} {path}  ({words or record.key})")
    if len(present) > _SHOWN:
        screen.show(f"  ... and {len(present) - _SHOWN:,} more; --json lists all")
    if is_asked:
        counted = Counter(each.state or _UNREAD for _, each in present)
        states = ", ".join(f"{number:,} {state}" for state, number in counted.items())
        screen.show(f"{screen.count(len(present), 'clip')} with credentials" + (f": {states}." if states else "."))
    if any(each.state is None for _, each in present):
        screen.say(f"What they say is not known: {install_line('provenance')}")


def _state_of(manifest: Manifest, options: argparse.Namespace) -> Store:
    store = state_of(manifest)
    if store is None:
        raise StateError(
            f"there is no state at {manifest.output.state} yet", command_line(options, "run") + " makes it"
        )
    return store


def _take_inventories(
    manifest: Manifest, options: argparse.Namespace, selection: Selection, mirror: Mirror | None
) -> tuple[Inventory, MirrorInventory | None]:
    """What there is in the output folder, and in the mirror."""
    with _state_of(manifest, options) as store:
        selection = selection.at(store)
        matches = Matches(selection)
        matches.see(store.records())
        matches.check()
        index, further = store.index_in(manifest.output.dir), store.further_videos()
        taken = inventory.take(index, store.records(), selection.has, store.other_files(), further)
        return taken, take_mirror(mirror, store, store.records(), selection.has) if mirror is not None else None


def _document(taken: Inventory, mirrored: MirrorInventory | None) -> dict[str, object]:
    document: dict[str, object] = {
        "artifacts": taken.artifacts,
        **{str(kind): [{"path": e.path, "id": e.job_id, "key": e.key} for e in taken.of(kind)] for kind in Kind},
    }
    return document if mirrored is None else {**document, "mirror": _mirror_document(mirrored)}


def _mirror_document(mirrored: MirrorInventory) -> dict[str, object]:
    """`object` is the address of a copy, null where a file was not copied yet."""
    kinds = {
        str(kind): [
            {"path": each.path, "object": each.object, "id": each.job_id, "key": each.key} for each in mirrored.of(kind)
        ]
        for kind in _BROKEN
    }
    error = None if mirrored.error is None else ending.as_document(mirrored.error)
    return {"address": mirrored.address, "objects": mirrored.objects, **kinds, "error": error}


def _show_mirror(mirrored: MirrorInventory) -> None:
    for each in mirrored.gaps[:_SHOWN]:
        screen.show(f"  {each.kind:<8} {each.object or f'{mirrored.address}/{each.path}'}  ({each.key})")
    if len(mirrored.gaps) > _SHOWN:
        screen.show(f"  ... and {len(mirrored.gaps) - _SHOWN:,} more; --json lists all")
    counts = ", ".join(f"{len(mirrored.of(kind))} {kind}" for kind in _BROKEN if mirrored.of(kind))
    copies = f"{mirrored.objects:,} {'copy' if mirrored.objects == 1 else 'copies'}"
    if mirrored.error is None:
        screen.show(f"{copies} in {mirrored.address} hashed: {counts or 'all as recorded'}.")
    else:
        screen.show(f"The mirror was not looked at to its end: {mirrored.error.message}")
        screen.show(f"  help: {mirrored.error.hint}")


def _show(options: argparse.Namespace, taken: Inventory, mirrored: MirrorInventory | None) -> None:
    for each in taken.discrepancies[:_SHOWN]:
        screen.show(f"  {each.kind:<8} {each.path}" + (f"  ({each.key})" if each.key else ""))
    if len(taken.discrepancies) > _SHOWN:
        screen.show(f"  ... and {len(taken.discrepancies) - _SHOWN:,} more; --json lists all")
    counts = ", ".join(f"{len(taken.of(kind))} {kind}" for kind in Kind if taken.of(kind))
    tell = screen.show if taken.discrepancies else screen.report
    tell(f"{screen.count(taken.artifacts, 'artifact')} hashed: {counts or 'all as recorded'}.")
    if mirrored is not None and not (screen.is_quiet() and mirrored.is_whole):
        _show_mirror(mirrored)
    if taken.of(*_BROKEN) or (mirrored is not None and mirrored.gaps):
        does = "fetches what the service still has"
        if mirrored is not None:
            does = "takes from the mirror what it has, else from the service, and copies what it lacks"
        screen.report(f"Next: {command_line(options, 'verify', '--repair')}        ({does})")
    elif taken.of(Kind.STALE):
        screen.report(f"Next: {command_line(options, 'index')}")
