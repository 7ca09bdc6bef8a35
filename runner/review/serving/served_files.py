"""Files of the sheet under names of one sitting: the server gives out what its page names, and knows no paths."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

_NAME_LENGTH = 24


class ServedFiles:
    """The files that pages have named so far. Paths are relative to `folder`; `secret` makes their names."""

    def __init__(self, folder: Path, secret: bytes) -> None:
        self._folder = folder
        self._secret = secret
        self._paths: dict[str, Path] = {}

    def address(self, path: str) -> str:
        """The address of a file, which can be asked for from now on."""
        digest = hmac.new(self._secret, b"file " + path.encode(errors="surrogateescape"), hashlib.sha256)
        name = digest.hexdigest()[:_NAME_LENGTH] + Path(path).suffix.lower()
        self._paths[name] = self._folder / path
        return f"files/{name}"

    def path(self, name: str) -> Path | None:
        """The file of a name, if there is one."""
        found = self._paths.get(name)
        return found if found is not None and found.is_file() else None
