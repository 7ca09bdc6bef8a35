"""The command line: reads the arguments, calls the function of the command, returns its exit code.

Nothing heavy is imported here.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys

from runner.cli.arguments import ArgumentsError, parser
from runner.version import SYSTEMS

# Importing typing would take a tenth of the time that --help needs; type checkers know this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

# The garbage collector runs seldom. Our records form no reference cycles, and looking for some as often as by default
# takes a tenth of the time that a large sweep needs. The cycles that libraries leave behind are small.
_COLLECTION_THRESHOLD = 50_000
# What Python raises where a module cannot be loaded; without memory, the parser may take any line for an error.
_UNLOADABLE = (ImportError, MemoryError, SystemError, SyntaxError)
_MODULES = {
    "init": "init_command",
    "validate": "validate_command",
    "fix-pictures": "fix_pictures_command",
    "plan": "plan_command",
    "run": "run_command",
    "status": "status_command",
    "index": "status_command",
    "verify": "verify_command",
    "measure": "measure_command",
    "review": "choosing.review_command",
    "compare": "choosing.compare_command",
    "publish": "choosing.publish_command",
    "models": "query_commands",
    "requests": "query_commands",
    "doctor": "doctor_command",
    "sandbox": "sandbox_command",
    "explain": "manual.explain_command",
    "schema": "manual.schema_command",
    "completion": "manual.completion_command",
    "help": "manual.help_command",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Every error that a user can cause becomes a message with a hint, and an exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    gc.set_threshold(_COLLECTION_THRESHOLD)
    _open_streams()
    if os.environ.get("GMI_API_KEY") and _holds_key(words):
        return 2
    try:
        options = parser().parse_args(words)
        command = importlib.import_module(f"runner.cli.commands.{_MODULES[options.command]}")
        from runner.cli.error_handler import guarded

        return guarded(getattr(command, options.command.replace("-", "_")), options)
    except ArgumentsError as error:
        if not words:
            parser().print_help(sys.stderr)
            return 2
        return _report_usage_error(error, words)
    except KeyboardInterrupt:
        # Only while modules are imported: afterwards `guarded` handles it.
        sys.stderr.write("interrupted\n")
        return 130
    except _UNLOADABLE as error:
        if getattr(error, "name", "") == "fcntl":
            # The locks that keep two runners of one state apart.
            sys.stderr.write(f"error: {SYSTEMS}\n")
            return 7
        sys.stderr.write(f"error: reelrun cannot be loaded: {error or 'there is no more memory'}\n")
        sys.stderr.write("  help: allow this process more memory (ulimit -v), or install reelrun anew\n")
        return 7


def start() -> NoReturn:
    """The entry point of the command `reelrun`. It ends the process."""
    code = main()
    try:
        from runner.cli.error_handler import end
    except _UNLOADABLE:
        # What keeps it from being loaded has been told.
        os._exit(code)
    end(code)


def _open_streams() -> None:
    """Show characters that the terminal's encoding lacks as escapes. Discard the output to a closed stream."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by the caller, as with >&-
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # it lives as long as the process
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _holds_key(words: Sequence[str]) -> bool:
    """Whether an argument holds the key. If so, this is told: other users see arguments, and shells remember them."""
    from runner.secret import holds_key

    if not any(map(holds_key, words)):
        return False
    from runner.cli.error_handler import tell
    from runner.errors import SecretError

    hint = "take it out: the environment is the only place for it; others of this machine may have seen it"
    tell(SecretError("an argument holds the key of the service (GMI_API_KEY)", hint), as_json=_is_document(words))
    return True


def _is_document(words: Sequence[str]) -> bool:
    return "--json" in words or "--format json" in " ".join(words).replace("=", " ")


def _report_usage_error(error: ArgumentsError, words: Sequence[str]) -> int:
    from runner.cli.error_handler import tell
    from runner.diagnostics.suggestions import closest, did_you_mean
    from runner.errors import UsageError

    message, hint = error.message, error.hint
    # The flags before a command take no values.
    name = next((each for each in words if not each.startswith("-")), None)
    if name is not None and name not in _MODULES:
        message, hint = f"there is no command {name!r}", did_you_mean(closest(name, _MODULES), more=hint)
    tell(UsageError(message, hint), as_json=_is_document(words))
    return 2
