"""Carries out the moves that a state has ordered: renames of finished files, which can be cut at any instant.

Order: the move is committed -> the files are renamed -> their folders are synced -> the new path is committed. What was
cut is done again from its beginning, which changes nothing where a file is at its new path already.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.model import Artifact
from runner.state.disk import create_folders, disk_errors, hash_file, inside, sync_folder, sync_parents
from runner.state.names import Move
from runner.state.store import Store

# So many moves share a commit.
_BATCH = 500


@dataclass(slots=True)
class _Done:
    """The kind and the new path of each file of a job, and the folders whose entries changed."""

    kept: list[tuple[str, str]] = field(default_factory=list)
    left: set[Path] = field(default_factory=set)
    entered: set[Path] = field(default_factory=set)


def carry_out(store: Store, folder: Path, busy: Collection[str] = ()) -> int:
    """Carry out the moves of a state, but those of jobs that are `busy`; the number of jobs that have other names now.

    `folder` is the output folder. Not inside a transaction. Raises DiskError.
    """
    moved = 0
    while ready := [each for each in store.moves() if each.job_id not in busy and store.blocker_of(each) is None][
        :_BATCH
    ]:
        with disk_errors(f"rename files in {folder}"):
            done = [_rename(each, store.artifacts(each.job_id), folder) for each in ready]
            _sync(folder, [each for each in done if each is not None])
        with store.transaction():
            for move, one in zip(ready, done, strict=True):
                if one is None:
                    store.drop_move(move)
                else:
                    store.finish_move(move, one.kept)
        moved += sum(1 for each in done if each is not None and each.kept)
    _drop_vain(store)
    return moved


def _rename(move: Move, artifacts: Mapping[str, Artifact], folder: Path) -> _Done | None:
    """None where something else is in the place of the video. What there is of a thumbnail goes with it if it can."""
    done = _Done()
    for kind, artifact in artifacts.items():
        room, suffix = artifact.path.split("/")[0], os.path.splitext(artifact.path)[1]
        path = f"{room}/{move.path}{suffix}"
        if _put(folder, artifact, path, done):
            done.kept.append((kind, path))
        elif kind == "video":
            return None
    return done


def _put(folder: Path, artifact: Artifact, path: str, done: _Done) -> bool:
    """Rename a file, never onto another one. A file that is gone is only recorded."""
    source, target = inside(folder, artifact.path), inside(folder, path)
    if not os.path.lexists(source):
        # Renamed before the last run was cut, or deleted by somebody.
        is_moved = target.is_file() and hash_file(target) == artifact.sha256
        done.entered |= {target.parent} if is_moved else set()
        return is_moved or not os.path.lexists(target)
    if os.path.lexists(target) and not os.path.samefile(source, target):
        return False
    try:
        create_folders(target.parent)
    except (FileExistsError, NotADirectoryError):
        return False
    source.rename(target)
    done.left.add(source.parent)
    done.entered.add(target.parent)
    return True


def _sync(folder: Path, done: Iterable[_Done]) -> None:
    entered = set[Path]().union(*(each.entered for each in done))
    for each in entered:
        sync_parents(each, folder)
    for each in set[Path]().union(*(each.left for each in done)) - entered:
        sync_folder(each)


def _drop_vain(store: Store) -> None:
    """Drop the moves to paths whose holders stay where they are."""
    moves = store.moves()
    moving = {each.job_id for each in moves}
    vain = [each for each in moves if store.blocker_of(each) not in (None, *moving)]
    if vain:
        with store.transaction():
            for each in vain:
                store.drop_move(each)
