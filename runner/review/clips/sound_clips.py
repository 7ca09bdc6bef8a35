"""Which clips still are what was verified: nobody is shown another clip than the one that a verdict names."""

from __future__ import annotations

from collections.abc import Callable

from runner.review.clips.reviewed_clips import ReviewedClip
from runner.state.disk import hash_file

# Stands for the look of a file that is another by now.
_CHANGED = (-1, -1)


class SoundClips:
    """Remembers what was hashed. `tell` gets a line about each clip that is gone or changed."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._looks: dict[str, tuple[int, int]] = {}

    def has(self, clip: ReviewedClip) -> bool:
        """Whether the file is what was verified. It is hashed again only if it looks another."""
        known, look = self._looks.get(clip.job), _look(clip)
        if look != _CHANGED and (look == known or hash_file(clip.path) == clip.sha256):
            self._looks[clip.job] = look
            return True
        if known != _CHANGED:
            self._tell(f"not shown: {clip.key}: its clip is gone or changed")
        self._looks[clip.job] = _CHANGED
        return False


def _look(clip: ReviewedClip) -> tuple[int, int]:
    try:
        stat = clip.path.stat()
    except OSError:
        return _CHANGED
    return (stat.st_mtime_ns, stat.st_size)
