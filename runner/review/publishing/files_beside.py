"""The files beside published clips: an archive of all, sheets, and timelines. They lie in folders of this machine."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from runner.model import Json, Manifest, canonical_json
from runner.review.publishing.archive import Content, write_archive
from runner.review.publishing.destination import Destination, Fate, opened
from runner.review.publishing.places.folder_place import FolderPlace
from runner.review.publishing.places.published_place import LIST, bytes_of
from runner.review.publishing.publish_order import PublishOrder
from runner.review.publishing.published_clip import PublishedClip
from runner.review.publishing.shown_clip import Shown


def folder_beside(manifest: Manifest, order: PublishOrder) -> Path:
    """The folder whose list tells which of these files are ours: the published one or, for a bucket, one of its own."""
    if isinstance(order.to, Path):
        return order.to
    digest = hashlib.sha256(str(order.to).encode()).hexdigest()[:8]
    return manifest.output.dir / f"published-{digest}"


def relative(file: Path, folder: Path) -> str:
    return Path(os.path.relpath(file, folder)).as_posix()


class FilesBeside:
    """`own` has them; `clips` are what they are made of."""

    def __init__(self, own: Destination, clips: Destination, folder: Path, order: PublishOrder) -> None:
        self.own = own
        self._clips = clips
        self._folder = folder
        self._order = order

    @property
    def fates(self) -> dict[str, Fate]:
        """By their whole paths."""
        found = {os.path.normpath(self._folder / path): fate for path, fate in self.own.fates.items()}
        return {path: fate for path, fate in found.items() if path != str(self._folder / LIST)}

    def put_archive(self, listed: Mapping[str, Json], paths: Sequence[str]) -> None:
        """All that is there as it was written, and the list without what it says of files."""
        if self._order.zip is None:
            return
        there = list(filter(self._clips.is_as_written, paths))
        content = bytes_of(listed)
        recipe = _digest([content.decode(), *(f"{path} {self._clips.sha256_of(path)}" for path in there)])
        files: dict[str, Content] = {LIST: content, **{path: partial(self._clips.blocks, path) for path in there}}
        self._put(self._order.zip, recipe, partial(write_archive, files=files))

    def put_timelines(self, name: str, clips: Sequence[PublishedClip]) -> None:
        """Of clips in a bucket they say where these are once all of it is copied to the folder of the timeline."""
        for file in self._order.timelines if clips else ():
            from runner.review.publishing.edit_lists import timeline_text

            folder = self._order.to if isinstance(self._order.to, Path) else file.parent
            text = timeline_text(name, clips, file, folder).encode()
            self._put(file, hashlib.sha256(text).hexdigest(), partial(_write, content=text))

    def put_sheets(self, clips: Sequence[PublishedClip]) -> dict[str, str]:
        """A grid that plays and a contact sheet, beside each other. Returns what could not be made, and why."""
        if self._order.sheet is None or not clips:
            return {}
        from runner.review.publishing.sheets import SheetError, contact_sheet, grid

        recipe = _digest([f"{clip.path} {clip.source_sha256} {clip.record.model}" for clip in clips])
        for file, make in zip(self._order.sheets(), (grid, contact_sheet), strict=True):
            try:
                self._put(file, recipe, partial(make, list(map(_on_sheet, clips))))
            except SheetError as error:
                return {str(file): str(error)}
        return {}

    def _put(self, file: Path, recipe: str, make: Callable[[Path], None]) -> None:
        self.own.put(relative(file, self._folder), recipe, make)


@contextmanager
def files_beside(manifest: Manifest, order: PublishOrder, clips: Destination) -> Iterator[FilesBeside]:
    """Those of a folder stand in its own list; those of a bucket in one on this machine, if there are any."""
    folder = folder_beside(manifest, order)
    if isinstance(order.to, Path) or not any(order.files()):
        yield FilesBeside(clips, clips, folder, order)
        return
    with opened(FolderPlace(folder), manifest) as own:
        yield FilesBeside(own, clips, folder, order)
        own.finish([], (), ())


def _on_sheet(clip: PublishedClip) -> Shown:
    video = clip.record.video
    assert video is not None, "what is published has a clip"
    size = video.width or 16, video.height or 9
    return Shown(clip.source, clip.title, clip.record.model, video.seconds or 0.0, *size)


def _write(target: Path, content: bytes) -> None:
    target.write_bytes(content)


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256(canonical_json(list(texts)).encode()).hexdigest()
