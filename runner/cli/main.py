"""The command line: arguments in, one small function a command, an exit code out. Nothing heavy is imported here."""

from __future__ import annotations

import gc
import importlib
import os
import sys

from runner.cli.arguments import ArgumentsError, parser

# Importing typing would take a tenth of the time that --help needs; type checkers know this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

# Our records refer to each other in one direction. Looking for rings among them as often as usual takes a tenth of the
# time that a large sweep needs; those that libraries leave behind are small.
_GARBAGE = 50_000
_MODULES = {
    "init": "init_command",
    "validate": "validate_command",
    "plan": "plan_command",
    "run": "run_command",
    "status": "status_command",
    "index": "status_command",
    "verify": "verify_command",
    "models": "query_commands",
    "requests": "query_commands",
    "doctor": "doctor_command",
    "explain": "explain_command",
    "sandbox": "sandbox_command",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Every error that a user can cause is a message with a remedy, and an exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    gc.set_threshold(_GARBAGE)
    _open_streams()
    try:
        options = parser().parse_args(words)
        command = importlib.import_module(f"runner.cli.commands.{_MODULES[options.command]}")
        from runner.cli.error_handler import guarded

        return guarded(getattr(command, options.command), options)
    except ArgumentsError as error:
        if not words:
            parser().print_help(sys.stderr)
            return 2
        return _tell_wrong_words(error, words)
    except KeyboardInterrupt:
        # While modules are imported; a command looks after it by itself.
        sys.stderr.write("interrupted\n")
        return 130


def start() -> NoReturn:
    """The command `reelrun`, in a process of its own."""
    code = main()
    from runner.cli.error_handler import end

    end(code)


def _open_streams() -> None:
    """Words that the terminal's encoding lacks are shown as escapes; what nobody reads goes nowhere."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by the caller, as with >&-
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # it lives as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _tell_wrong_words(error: ArgumentsError, words: Sequence[str]) -> int:
    from runner.cli.error_handler import tell
    from runner.diagnostics.suggestions import closest, did_you_mean
    from runner.errors import UsageError

    message, hint = error.message, f"{error.command} --help tells more"
    if not words[0].startswith("-") and words[0] not in _MODULES:
        message, hint = f"there is no command {words[0]!r}", did_you_mean(closest(words[0], _MODULES), more=hint)
    is_document = "--json" in words or "--format json" in " ".join(words).replace("=", " ")
    tell(UsageError(message, hint), as_json=is_document)
    return 2
