"""The command `reelrun`. In a wheel this is a module beside the package, which may be hidden by another of its name."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def start() -> NoReturn:
    """The entry point of the command. It ends the process."""
    try:
        from runner.cli.main import start as begin
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "runner":
            raise
        import runner

        sys.stderr.write(f"error: the name runner leads to {runner.__file__} here, not to reelrun\n")
        sys.stderr.write("  help: rename that file, or take its folder out of PYTHONPATH\n")
        sys.exit(2)
    except ImportError as error:
        if error.name != "fcntl":
            raise
        sys.stderr.write(f"error: {error}\n")
        sys.exit(7)
    begin()
