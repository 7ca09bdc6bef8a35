"""One clip that a run kept, as a worker looks at it: found, held to its hash, decoded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from runner.buckets.bucket_address import BucketAddress
from runner.engine.mirror.mirror import Mirror
from runner.errors import BucketError
from runner.model import Measured, MirrorCopy
from runner.state.disk import hash_file, inside
from runner.video.facts import UnfitFileError
from runner.video.measures import ViewOrder


@dataclass(frozen=True, slots=True)
class KeptClip:
    """Where the bytes of a clip are: by a name below a folder, and in a mirror, if one has a copy."""

    folder: Path
    name: str
    mirror: str | None = None
    copy: MirrorCopy | None = None

    @contextmanager
    def opened(self, sha256: str) -> Iterator[Path]:
        """A path of the bytes, which are still those that were downloaded: in the folder, else from the mirror.

        Raises UnfitFileError, DiskError and OSError.
        """
        path = inside(self.folder, self.name)
        if self.mirror is None or self.copy is None or path.exists():
            if hash_file(path) != sha256:
                raise UnfitFileError("it is not the file that was downloaded")
            yield path
            return
        with TemporaryDirectory() as folder:
            try:
                Mirror(BucketAddress.of(self.mirror)).fetch_back(self.copy, Path(folder), self.name)
            except BucketError as error:
                raise UnfitFileError(
                    f"it is not in the folder, and the mirror does not give it: {error.reason}"
                ) from error
            yield inside(Path(folder), self.name)


def look_at_kept(clip: KeptClip, order: ViewOrder) -> Measured:
    """Look at a clip that is still the one that was downloaded. Raises as `KeptClip.opened` and `look_at` do."""
    with clip.opened(order.sha256) as path:
        return look_at(path, order)


def look_at(path: Path, order: ViewOrder, threads: int = 0) -> Measured:
    """Decode a clip with so many threads (0: as many as FFmpeg finds good) and look at it. Raises UnfitFileError."""
    from runner.video.decoding import inspect_video
    from runner.video.looking.viewing import Viewing

    with Viewing(order) as viewing:
        inspect_video(path, None, decode=True, viewer=viewing, threads=threads)
        return viewing.finish()
