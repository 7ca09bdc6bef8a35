"""The arguments of the command line: every command with its flags. Imports nothing heavy, so that --help is quick."""

from __future__ import annotations

import argparse
import os
from functools import cache

from runner.version import RELEASE

# Importing typing would take a tenth of the time that --help needs; type checkers know this name.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn, TypeAlias

    _Commands: TypeAlias = "argparse._SubParsersAction[_Parser]"

_SOLE = "it may be left out where it is the only one in the current folder"
_MEASURES = "the list of measures"
_SHELLS = """To have it in every new shell:
  bash: echo 'eval "$(reelrun completion bash)"' >> ~/.bashrc
  zsh:  echo 'eval "$(reelrun completion zsh)"' >> ~/.zshrc      (after compinit)
  fish: reelrun completion fish > ~/.config/fish/completions/reelrun.fish"""
_EDITORS = """An editor with YAML support explains and completes the keys of a manifest once the file is there
  reelrun schema > manifest.schema.json
and the first line of the manifest names it, by its path from the manifest ('reelrun init' writes both)
  # yaml-language-server: $schema=manifest.schema.json
or the settings of VS Code do, for all manifests
  "yaml.schemas": {"manifest.schema.json": ["campaign.yaml", "manifests/*.yaml"]}"""
_USUAL = 80  # columns, if the terminal does not report its width


class ArgumentsError(Exception):
    """Arguments that do not fit `command`, such as `reelrun plan`."""

    def __init__(self, message: str, command: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or f"{command} --help tells more"


class _Parser(argparse.ArgumentParser):
    """Raises where argparse would print and exit: with --json, a usage error is a document, too."""

    commands: dict[str, _Parser]
    is_built = False

    def _get_formatter(self) -> argparse.HelpFormatter:
        """While arguments are added, argparse wants one for each only to check it: making them takes a fifth of all."""
        return super()._get_formatter() if self.is_built else _checker()

    def error(self, message: str) -> NoReturn:
        raise ArgumentsError(message, self.prog)

    def parse_args(self, args: Sequence[str] | None = None, namespace: None = None) -> argparse.Namespace:  # type: ignore[override]
        """Raises ArgumentsError for what a command does not take."""
        options, unknown = self.parse_known_args(args)
        if unknown:
            raise _unknown(unknown[0], options.command, self.commands)
        if options.quiet and options.verbose:
            hint = "leave one of them out"
            raise ArgumentsError("--quiet and --verbose exclude each other", f"reelrun {options.command}", hint)
        return options

    def flags(self) -> list[str]:
        return [flag for action in self._actions for flag in action.option_strings]


@cache
def _checker() -> argparse.HelpFormatter:
    return argparse.HelpFormatter("reelrun", width=_USUAL)


class _Help(argparse.HelpFormatter):
    """As wide as the terminal. To find the width, argparse would import shutil and with it archive formats."""

    def __init__(self, prog: str) -> None:
        named = os.environ.get("COLUMNS", "")
        super().__init__(prog, width=((int(named) if named.isdecimal() else 0) or _columns()) - 2)

    def add_text(self, text: str | None) -> None:
        # The list is put in only where it is read: to load it takes time.
        super().add_text(_measures() if text == _MEASURES else text)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        """Lines that are indented are for copying, and stay as they are."""
        fill = super()._fill_text
        return "\n".join(each if each.startswith("  ") else fill(each, width, indent) for each in text.split("\n"))

    def _expand_help(self, action: argparse.Action) -> str:
        words = super()._expand_help(action)
        return f"{words}: {_behaviours()}" if action.dest == "behave" else words


def _columns() -> int:
    try:
        return os.get_terminal_size(1).columns or _USUAL
    except OSError:
        return _USUAL


def _unknown(word: str, name: str, commands: dict[str, _Parser]) -> ArgumentsError:
    from runner.diagnostics.suggestions import closest, did_you_mean

    flag = word.partition("=")[0]
    if not flag.startswith("-"):
        return ArgumentsError(f"{name} takes no further argument {word!r}", f"reelrun {name}")
    own = commands[name].flags()
    elsewhere = [each for each in commands if flag in commands[each].flags()]
    of = f": it is one of {', '.join(elsewhere)}" if elsewhere else ""
    hint = did_you_mean(None if elsewhere else closest(flag, own), more=f"reelrun {name} --help tells more")
    return ArgumentsError(f"{name} has no flag {flag}{of}", f"reelrun {name}", hint)


def parser() -> _Parser:
    """All commands with their flags."""
    whole = _Parser(
        "reelrun",
        description="Turn YAML manifests into AI videos: nothing is paid for twice, nothing paid for is lost.",
        epilog="Start with: reelrun init demo && reelrun run demo/campaign.yaml --sandbox",
        parents=[_volume(False)],
        formatter_class=_Help,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"reelrun {RELEASE}", help="show the version and exit")
    whole.is_built = True  # its formatter makes the beginning of every usage
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    _manifest_commands(commands)
    _run_command(commands)
    _service_commands(commands)
    _manual_commands(commands)
    whole.commands = commands.choices
    for each in whole.commands.values():
        each.is_built = True
    return whole


def _manifest_commands(commands: _Commands) -> None:
    init = _command(commands, "init", "make a folder with a manifest, pictures and prompts that run as they stand")
    init.add_argument("folder", metavar="FOLDER", help="the folder to make; it must be new or empty")
    init.add_argument("--model", metavar="M", help="a manifest for this model (reelrun models --shipped lists them)")
    validate = _command(commands, "validate", "check manifests and everything that they name; send nothing")
    validate.add_argument("manifests", nargs="*", metavar="MANIFEST", help=f"the YAML files; {_SOLE}")
    _outside(validate)
    _set(validate)
    _state(validate)
    _format(validate)
    validate.add_argument("--check-urls", action="store_true", help="also fetch and check pictures that are URLs")
    validate.add_argument(
        "--slow", action="store_true", help="wait for templates that take more than ten minutes in all"
    )
    fixing = "make copies of pictures that the service may see otherwise, or refuse; print what to change"
    _manifest(commands, "fix-pictures", fixing)
    plan = _manifest(commands, "plan", "show what a run would do, and why; write and send nothing")
    plan.add_argument("--jobs", action="store_true", help="list every job, not only the first ones")
    plan.add_argument(
        "--prompts", action="store_true", help="every distinct prompt, its jobs, and what was sent before"
    )
    plan.add_argument("--markdown", action="store_true", help="a summary in Markdown, fit for a pull request")
    frozen = plan.add_mutually_exclusive_group()
    frozen.add_argument("--lock", action="store_true", help="freeze the jobs in the lockfile beside the manifest")
    _locked(frozen, "end with 2")
    _selection(plan)
    _again(plan)
    _limits(plan)
    status = _manifest(commands, "status", "show where the jobs stand")
    by = "a line for each value of this variable; also image, prompt, model; given twice, for each pair of values"
    status.add_argument("--by", action="append", default=[], metavar="NAME", help=by)
    index = _manifest(commands, "index", "write index.json, index.csv and index.html anew")
    excel = "index.csv as spreadsheets with other decimal signs read it: with semicolons, and marked as UTF-8"
    index.add_argument("--excel", action="store_true", help=excel)
    index.add_argument("--rename", action="store_true", help="give finished clips the names of today's output.file")
    for each in (status, index):
        _selection(each)
        _sandboxed(each)
    _sandboxed(plan)
    _verify_command(commands)
    _measure_command(commands)
    _compare_command(commands)
    _publish_command(commands)
    _review_command(commands)


def _verify_command(commands: _Commands) -> None:
    verify = _manifest(
        commands, "verify", "hash every file, and its copy in the mirror, against the state and the index"
    )
    mending = "take what is missing or changed from the mirror, else fetch it again; copy what the mirror lacks"
    verify.add_argument("--repair", action="store_true", help=mending)
    credentials = "also tell what Content Credentials (C2PA) the clips came with, and whether their seals are whole"
    verify.add_argument("--credentials", action="store_true", help=credentials)
    _base_url(verify)
    verify.add_argument("--no-progress", action="store_true", help="no progress on the screen")
    _selection(verify)
    _sandboxed(verify)
    _sandbox_flags(verify.add_argument_group("with --sandbox"), prefix="sandbox-")


def _measure_command(commands: _Commands) -> None:
    measuring = "measure the clips that were not measured yet, make the previews that are not there, write the index"
    measure = _manifest(commands, "measure", measuring)
    processes = "how many clips are looked at at once (as many as there are cores)"
    workers = measure.add_mutually_exclusive_group()
    workers.add_argument("--processes", type=_number(int, 1, 256), metavar="N", help=processes)
    cluster = "have a Dask cluster look at them, such as tcp://10.0.0.1:8786; its workers see the output folder at the"
    workers.add_argument("--cluster", type=_cluster, metavar="ADDRESS", help=f"{cluster} same path")
    measure.epilog = _MEASURES
    _selection(measure)
    _sandboxed(measure)


def _review_command(commands: _Commands) -> None:
    review = _manifest(commands, "review", "look at the clips in a browser, and say what you think of them")
    modes = "what to begin with: pairs (two clips, blind), best (of the takes of a cell), cull (pick, reject, stars)"
    review.add_argument("--mode", choices=("cull", "best", "pairs"), help=modes)
    name = "whose verdicts they are: a short name, such as ann (git's user.name, made so)"
    review.add_argument("--as", dest="reviewer", metavar="NAME", help=name)
    elsewhere = review.add_mutually_exclusive_group()
    page = "make a page for people elsewhere, with copies of the clips under random names: a new folder, to be zipped"
    elsewhere.add_argument("--page", metavar="FOLDER", help=page)
    taken = "take in the file of verdicts that somebody sends back; taken in again, it changes nothing"
    elsewhere.add_argument("--take-in", metavar="FILE", help=taken)
    _sandboxed(review)


def _compare_command(commands: _Commands) -> None:
    comparing = "tell which arm reviewers prefer, how sure that is, and what it would take to know"
    compare = _manifest(commands, "compare", comparing)
    by = "what is compared: prompt, model or an axis (the prompts, else the models, else the only axis)"
    compare.add_argument("--by", metavar="NAME", help=by)
    on = "what tells which clip is better: votes (the default), stars, picks, or measure:NAME, where more is better"
    compare.add_argument("--on", default="votes", metavar="NAME", help=on)
    compare.epilog = (
        "A verdict is better, worse, no-difference (within review.margin) or not-enough. It holds however often you"
        " look: at most 5 % of comparisons ever name a wrong winner. Clips of one image are compared with each other,"
        " and an image counts once, however many takes and reviewers it has. Intervals are those of 95 % for one look."
    )
    _selection(compare)
    _sandboxed(compare)


def _publish_command(commands: _Commands) -> None:
    what = "copy the picked clips to a folder or a bucket, under good names, with a list and a page"
    publish = _manifest(commands, "publish", what)
    to = "a folder, or s3://BUCKET/PATH, gs://..., az://... (extra cloud); what others put there is not touched"
    publish.add_argument("--to", required=True, metavar="DIR", help=to)
    name = "what makes the names, without extension, such as '{{ image.id }}-{{ take }}' (the key of each job)"
    publish.add_argument("--name", metavar="TEMPLATE", help=name)
    rule = "another rule than review.picks: any, all, majority, votes, or a reviewer"
    publish.add_argument("--picks", metavar="RULE", help=rule)
    publish.add_argument("--anonymous", action="store_true", help="leave out the names of reviewers")
    marks = publish.add_argument_group("marks")
    marks.add_argument("--mark", action="store_true", help="each file says that AI made it, and with what (XMP)")
    marks.add_argument("--with-prompt", action="store_true", help="with --mark: tell the prompt, too")
    signed = "with --mark: sign it as well (C2PA, PEM with its chain); 'self' makes one for trying that nobody trusts"
    marks.add_argument("--certificate", metavar="PEM", help=signed)
    marks.add_argument("--private-key", metavar="PEM", help="the key of the certificate")
    label = "burn a small 'Made with AI' into the pictures: the clips are encoded anew"
    marks.add_argument("--label", action="store_true", help=label)
    more = publish.add_argument_group("beside the clips")
    for flag, said in (
        ("zip", "all of it in one archive"),
        ("sheet", "a grid that plays all clips (.mp4) and a contact sheet (.png), with labels"),
        ("edl", "the clips one after the other as an EDL; reels are the first 8 digits of the job ids"),
        ("otio", "the same for OpenTimelineIO (.otio) or Final Cut (.fcpxml)"),
    ):
        more.add_argument(f"--{flag}", metavar="FILE", help=said)
    _selection(publish)
    _sandboxed(publish)


def _run_command(commands: _Commands) -> None:
    run = _manifest(commands, "run", "start or resume: do what the plan says is left")
    _base_url(run)
    _patience(run)
    run.add_argument("--dry-run", action="store_true", help="do everything up to the first call")
    _locked(run.add_mutually_exclusive_group(), "refuse to start")
    run.add_argument(
        "--concurrency", type=_number(int, 1, 10_000), metavar="N", help="at most N jobs unfinished at the service"
    )
    first = "submit only the first N of the jobs that are left to submit"
    run.add_argument("--first", type=_number(int, 1, 5_000_000), metavar="N", help=first)
    agree = "files may be put into the store of the service, where it, and whoever has the address, can read them"
    run.add_argument("--allow-uploads", action="store_true", help=agree)
    run.add_argument("--yes", action="store_true", help="submit without asking")
    renew = "where the state is damaged or gone, set aside what is left of it and begin anew; nothing is deleted"
    run.add_argument("--new-state", action="store_true", help=renew)
    over = "with --state: go on where the last runner is gone for good and left the lease to nobody; it must not run"
    run.add_argument("--take-over", action="store_true", help=over)
    run.add_argument("--no-progress", action="store_true", help="no progress on the screen")
    attach = "this request of the service is the unknown job with this key (may be repeated)"
    run.add_argument("--attach", action="append", default=[], metavar="KEY=ID", help=attach)
    again = "reject this take, and buy a further one of its cell; the whole key (may be repeated)"
    run.add_argument("--again", action="append", default=[], metavar="KEY", help=again)
    by = "with --again: who rejects it (by default user.name of git)"
    run.add_argument("--as", dest="reviewer", metavar="NAME", help=by)
    _selection(run)
    _again(run)
    _limits(run)
    _sandboxed(run)
    run.epilog = "With --quiet nothing is written where a run ends with 0, and else one line that counts its jobs."
    sandbox = run.add_argument_group("with --sandbox")
    _sandbox_flags(sandbox, prefix="sandbox-")


def _locked(flags: argparse._ActionsContainer, then: str) -> None:
    bought = f"{then} where jobs are new, gone or changed, or cost more, since the lockfile was written"
    flags.add_argument("--locked", action="store_true", help=bought)
    flags.add_argument("--locked-strict", action="store_true", help=f"{then} where anything differs from the lockfile")


def _service_commands(commands: _Commands) -> None:
    models = _command(commands, "models", "list the service's models, or tell about one")
    models.add_argument("model", nargs="?", metavar="MODEL", help="the model to tell about")
    models.add_argument("--shipped", action="store_true", help="the models whose schemas ship with reelrun; no call")
    takes = "with --shipped: only those that take all of these: text, first, last, reference, video, sound"
    models.add_argument(
        "--schema", action="store_true", help="a draft of MODEL's schema file, from what the service tells"
    )
    models.add_argument("--takes", metavar="NAMES", help=takes)
    models.add_argument("--seconds", type=_number(float, 0, 3600), metavar="N", help="with --shipped: of this length")
    requests = _command(commands, "requests", "list the requests that the service has of a model")
    requests.add_argument("model", metavar="MODEL", help="such as Kling-Image2Video-V1.6-Standard")
    unclaimed = "only those that belong to no job of this manifest's state, and which unknown jobs they may be"
    requests.add_argument("--unclaimed", metavar="MANIFEST", help=unclaimed)
    _state(requests)
    for each in (models, requests):
        _json(each)
    doctor = _command(commands, "doctor", "check key, reachability, versions and write access; say what to do")
    looked = "also look at its output folder; the only manifest of the current folder need not be named"
    doctor.add_argument("manifest", nargs="?", metavar="MANIFEST", help=looked)
    _state(doctor)
    _json(doctor)
    for each in (models, requests, doctor):
        _base_url(each)
        _patience(each)
    sandbox = _command(commands, "sandbox", "serve the API on this machine; it makes real, but not AI, videos")
    sandbox.add_argument(
        "--dir", default=".reelrun-sandbox", metavar="DIR", help="where it keeps its requests (%(default)s)"
    )
    sandbox.add_argument(
        "--port", type=_number(int, 0, 65535), default=8765, metavar="N", help="0 takes any free port (%(default)s)"
    )
    sandbox.add_argument("--certificate", metavar="PEM", help="serve over TLS with this certificate")
    sandbox.add_argument("--private-key", metavar="PEM", help="the key of the certificate")
    _sandbox_flags(sandbox)


def _manual_commands(commands: _Commands) -> None:
    explain = _command(commands, "explain", "tell what a code such as E204 means, and how to mend it")
    explain.add_argument("code", nargs="?", metavar="CODE", help="the code of a diagnostic; without it, all of them")
    schema = _command(commands, "schema", "print the JSON Schema of manifests, or of another file, for editors")
    documents = "manifest (the default), index or lockfile (what reelrun writes), or a model, such as Veo3"
    schema.add_argument("document", nargs="?", default="manifest", metavar="NAME", help=documents)
    _json(schema)
    schema.epilog = _EDITORS
    completion = _command(commands, "completion", "print what a shell needs to complete commands, flags and files")
    completion.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")
    completion.epilog = _SHELLS
    helping = _command(commands, "help", "show the help of a command")
    helping.add_argument("topic", nargs="?", metavar="COMMAND", help="the command; without it, all of them are listed")


def _sandbox_flags(flags: argparse._ActionsContainer, prefix: str = "") -> None:
    flags.add_argument(
        f"--{prefix}slots", type=_number(int, 1, 64), default=4, metavar="N", help="requests at once (%(default)s)"
    )
    flags.add_argument(
        f"--{prefix}seconds",
        type=_number(float, 0, 3600),
        default=1.0,
        metavar="S",
        help="least time a request takes (%(default)s)",
    )
    flags.add_argument(
        f"--{prefix}failure-rate",
        type=_number(float, 0, 1),
        default=0.0,
        metavar="X",
        help="share that fails, 0 to 1 (%(default)s)",
    )
    flags.add_argument(
        f"--{prefix}height",
        type=_number(int, 64, 720),
        default=720,
        metavar="PX",
        help="height of the clips, 64 to 720 (%(default)s)",
    )

    flags.add_argument(
        f"--{prefix}behave",
        type=_behaviour,
        action="append",
        default=[],
        metavar="NAME",
        help="play a way of the real queue (may be repeated)" + (prefix and "; 'reelrun sandbox --help' lists them"),
    )


def _measures() -> str:
    from runner.shipped import install_line
    from runner.video.measures import MEASURES

    listed = "; ".join(f"{name} ({what})" for name, what in MEASURES.items())
    return (
        f"The measures: {listed}. Those of motion and camera need OpenCV: {install_line('measure')}. Beyond a"
        " threshold (measures.defects in the manifest) a measure is a defect, which is told and changes nothing. Ends"
        " with 1 where a clip cannot be decoded."
    )


def _behaviours() -> str:
    # The table takes longer to load than all other help, so only those who read it wait for it.
    from runner.sandbox.behaviours import BEHAVIOURS

    return "; ".join(f"{name} ({each.about})" for name, each in BEHAVIOURS.items())


def _behaviour(name: str) -> str:
    from runner.diagnostics.suggestions import suggestion
    from runner.sandbox.behaviours import BEHAVIOURS

    if name not in BEHAVIOURS:
        hint = suggestion(name, BEHAVIOURS, "see 'reelrun sandbox --help'")
        raise argparse.ArgumentTypeError(f"{name!r} is no behaviour of the sandbox; {hint}")
    return name


def _command(commands: _Commands, name: str, what: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=what,
        description=f"{what[0].upper()}{what[1:]}.",
        parents=[_volume(argparse.SUPPRESS)],  # what stands before the command holds, too
        formatter_class=_Help,
        allow_abbrev=False,
    )


@cache
def _volume(default: object) -> _Parser:
    """The flags that every command takes, and `reelrun` itself. To make them anew for each would take time."""
    flags = _Parser(add_help=False)
    more = "tell more on stderr: the files that are read, each step with its time, each call of the service"
    flags.add_argument("-v", "--verbose", action="store_true", default=default, help=more)
    less = "tell errors alone: no notes, warnings or progress, and no word of what went well; questions and data stay"
    flags.add_argument("-q", "--quiet", action="store_true", default=default, help=less)
    return flags


def _manifest(commands: _Commands, name: str, what: str) -> argparse.ArgumentParser:
    made = _command(commands, name, what)
    made.add_argument("manifest", nargs="?", metavar="MANIFEST", help=f"the YAML file; {_SOLE}")
    _outside(made)
    _set(made)
    _state(made)
    _json(made)
    return made


def _outside(command: argparse.ArgumentParser) -> None:
    what = "prompts, tables and schemas may also lie below DIR, not only below the manifest's folder (may be repeated)"
    command.add_argument("--allow-outside", action="append", default=[], metavar="DIR", help=what)


def _state(command: argparse.ArgumentParser) -> None:
    what = (
        "the state lives in this bucket: s3://BUCKET/PREFIX (also gs://, az://), each state under a prefix of its own"
    )
    command.add_argument("--state", metavar="ADDRESS", help=what)


def _set(command: argparse.ArgumentParser) -> None:
    what = "another value, in YAML, for a constant under vars (may be repeated); later commands keep that of a run"
    command.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=what)


def _base_url(command: argparse.ArgumentParser) -> None:
    command.add_argument("--base-url", metavar="URL", help="another address of the service than GMI_BASE_URL")


def _patience(command: argparse.ArgumentParser) -> None:
    what = "how long a service that has not answered once is waited for, such as 90s or 2m (60s)"
    command.add_argument("--patience", type=_duration, metavar="TIME", help=what)


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print one JSON document on stdout")


def _format(command: argparse.ArgumentParser) -> None:
    what = "text for people (the default), json, sarif for code scanning, github for annotations in a workflow"
    command.add_argument("--format", action=_Format, choices=("text", "json", "sarif", "github"), help=what)
    command.add_argument("--json", action=_Format, dest="format", nargs=0, help="the same as --format json")
    command.set_defaults(json=False)


def _selection(command: argparse.ArgumentParser) -> None:
    flags = command.add_argument_group("which jobs (each may be repeated)")
    for flag, what in (
        ("only", "only jobs whose whole key matches; * crosses /"),
        ("skip", "no job whose key matches"),
    ):
        flags.add_argument(f"--{flag}", action="append", default=[], metavar="GLOB", help=what)
    where = (
        "only jobs with this value, such as 'surface=wet rock'; also image, prompt, model, take, status, defect, and"
        " pick=yes|no; of one NAME any value may match, but all NAMEs must"
    )
    flags.add_argument("--where", action="append", default=[], metavar="NAME=VALUE", help=where)


def _again(command: argparse.ArgumentParser) -> None:
    failed = "submit failed and cancelled jobs again, but none whose content was refused"
    command.add_argument("--retry-failed", action="store_true", help=failed)
    rejected = "submit jobs again whose request was rejected, or whose content was refused"
    command.add_argument("--retry-rejected", action="store_true", help=rejected)
    again = "submit unknown jobs again once they were looked for in vain: this may pay for them a second time"
    command.add_argument("--resubmit-unknown", action="store_true", help=again)


def _limits(command: argparse.ArgumentParser) -> None:
    command.add_argument("--max-jobs", type=_number(int, 1, 5_000_000), metavar="N", help="lower budget.max_jobs")
    command.add_argument("--max-cost", metavar="X", help="lower budget.max_cost")


def _sandboxed(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--sandbox", action="store_true", help="the local sandbox: no key, no cost; its own output folder"
    )
    command.add_argument("--output", metavar="DIR", help="another output folder than output.dir")


class _Format(argparse.Action):
    """`--format NAME`, and `--json` as another name for `--format json`. If both are given, they must be the same."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[object] | None,
        option_string: str | None = None,
    ) -> None:
        name = values or "json"
        if namespace.format not in (None, name):
            parser.error(f"--format is both {namespace.format} and {name}; leave one of them out")
        namespace.format = name
        namespace.json = name == "json"


def _number(convert: type[int] | type[float], least: int, most: int) -> Callable[[str], float]:
    """A function that reads the number of a flag. Its error says which numbers are allowed."""

    def read(text: str) -> float:
        try:
            number = convert(text)
        except ValueError:
            number = least - 1
        if not least <= number <= most:
            kind = "whole number" if convert is int else "number"
            raise argparse.ArgumentTypeError(f"{text!r} is no {kind} from {least:,} to {most:,}")
        return number

    return read


def _cluster(text: str) -> str:
    """The address of a scheduler: whole, so that a slip of the hand is not waited for."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        is_whole = parts.scheme in ("tcp", "tls") and parts.hostname and parts.port and text == parts.geturl()
    except ValueError:
        is_whole = False
    if not is_whole or parts.path or parts.query or parts.username is not None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no address of a cluster; write tcp://HOST:PORT or tls://HOST:PORT"
        )
    return text


def _duration(text: str) -> float:
    """The seconds of a flag: written as in a manifest, or a number of seconds."""
    from runner.manifest.settings import LONGEST_DURATION, seconds

    try:
        duration = seconds(f"{text}s" if text[-1:].isdecimal() else text)
    except ValueError:
        duration = 0.0
    if not 0 < duration <= LONGEST_DURATION:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration; write 90s, 2m or 1h30m, and at most 8760h")
    return duration
