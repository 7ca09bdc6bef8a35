"""The words of the project as types: frozen records, enums, canonical JSON and identities."""

from __future__ import annotations

import hashlib
import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from json.encoder import encode_basestring
from pathlib import Path
from typing import Protocol, TypeAlias

from runner.errors import Position

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Variables: TypeAlias = Mapping[str, Json]
# Where a value stands in a manifest: the keys and indices that lead to it.
Route: TypeAlias = tuple[str | int, ...]


class Action(StrEnum):
    """What a run would do with a job."""

    SUBMIT = "submit"
    ATTACH = "attach"
    FETCH = "fetch"
    KEEP = "keep"
    SKIP = "skip"


class Status(StrEnum):
    """Where a job stands. The last four are final."""

    PENDING = "pending"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REJECTED = "rejected"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in (Status.SUCCEEDED, Status.FAILED, Status.REJECTED, Status.CANCELLED)


class Origin(StrEnum):
    """Where a picture comes from."""

    FILE = "file"
    URL = "url"
    INLINE = "base64"


class SourceMap(Protocol):
    """Finds places in the text that a manifest was read from."""

    def position(self, route: Route, *, key: bool = False, offset: int = 0, length: int = 0) -> Position:
        """The place of the value at `route`, or of its key. `offset` counts characters into a text value."""

    def line(self, position: Position) -> str:
        """The text of the line at `position`, without its end."""

    def has(self, route: Route) -> bool:
        """Whether there is a value at `route`."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of the manifest.

    `location` is an absolute path, a URL, or the Base64 text itself. `reference` stands for the picture in payloads
    that are hashed, stored or shown: `sha256:<hex>` of its bytes, or the URL. `size` is in bytes, `width` and
    `height` are in pixels; the three are None for a URL that was not fetched. `written` is the path as the manifest
    has it, empty for a picture that is no file.
    """

    id: str
    origin: Origin
    location: str = field(repr=False)
    reference: str
    vars: Variables
    route: Route
    size: int | None = None
    width: int | None = None
    height: int | None = None
    written: str = ""


class InputKind(StrEnum):
    """What a text file is to the manifest."""

    MANIFEST = "manifest"
    PROMPT = "prompt"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Input:
    """A text file that a manifest was read from: its path as the manifest has it, and the sha256, in hex, of its text.

    The text is UTF-8 with `\\n` at the end of each line: a checkout that changes line ends changes no digest.
    """

    kind: InputKind
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """An arm of a sweep. `file` is the absolute path of a prompt kept in a file of its own, else None."""

    id: str
    text: str
    params: Variables
    route: Route
    file: str | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """A fixed random subset of the variants."""

    count: int
    seed: Json


@dataclass(frozen=True, slots=True)
class Matrix:
    """Variables and their values, and what to add, leave out, advance together and draw."""

    axes: Mapping[str, tuple[Json, ...]]
    include: tuple[Variables, ...] = ()
    exclude: tuple[Variables, ...] = ()
    zip: tuple[tuple[str, ...], ...] = ()
    sample: Sample | None = None


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits on a manifest. Money is in `currency`, prices are what one submission costs."""

    max_jobs: int = 1000
    max_cost: Decimal | None = None
    price_per_job: Decimal | None = None
    price_per_second: Decimal | None = None
    currency: str = "USD"

    @property
    def has_price(self) -> bool:
        return self.price_per_job is not None or self.price_per_second is not None

    def price(self, seconds: float | None) -> Decimal | None:
        """What one submission of `seconds` of video costs; None where the manifest states no price that tells it."""
        if self.price_per_job is not None or self.price_per_second is None or seconds is None:
            return self.price_per_job
        return self.price_per_second * Decimal(str(seconds))


@dataclass(frozen=True, slots=True)
class RunSettings:
    """How a run goes about it. `wait` and `settle` are in seconds, `verify` is `decode` or `header`."""

    concurrency: int = 16
    attempts: int = 3
    wait: float = 1800.0
    settle: float = 60.0
    verify: str = "decode"


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go: absolute paths, and the template of a video's path (None: the job's key)."""

    dir: Path
    state: Path
    file: str | None = None


@dataclass(frozen=True, slots=True)
class ModelSchema:
    """A model as its schema file describes it: `document` is JSON Schema (2020-12) for the payload."""

    name: str
    document: Mapping[str, Json]

    @property
    def defaults(self) -> dict[str, Json]:
        """The value that each parameter has when it is left out."""
        return {
            name: rules["default"]
            for name, rules in self.properties.items()
            if isinstance(rules, Mapping) and "default" in rules
        }

    @property
    def properties(self) -> Mapping[str, Json]:
        properties = self.document.get("properties", {})
        return properties if isinstance(properties, Mapping) else {}


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest that was read and checked.

    `path` is absolute; `axis_of_models` tells whether model is a list. `inputs` are the text files that it was read
    from, `ignored` the codes of the warnings that it switches off. `folders` are those that its texts may lie in,
    resolved: its own one first.
    """

    path: Path
    name: str
    models: tuple[str, ...]
    axis_of_models: bool
    images: tuple[Image, ...]
    prompts: tuple[Prompt, ...]
    constants: Variables
    matrix: Matrix
    params: Variables
    takes: int
    budget: Budget
    run: RunSettings
    output: Output
    schemas: Mapping[str, ModelSchema]
    source: SourceMap = field(repr=False, compare=False)
    inputs: tuple[Input, ...] = field(default=(), repr=False)
    ignored: frozenset[str] = frozenset()
    folders: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """The rendered, validated request of a cell.

    `payload` holds every parameter that is sent, with the picture as its reference. `seconds` is the asked length of
    the video, None where the model has no such parameter. `output` is the path of the video below `videos/`, without
    extension.
    """

    id: str
    fingerprint: str
    take: int
    key: str
    model: str
    image: str
    prompt_id: str
    variables: Variables
    payload: Variables
    output: str
    seconds: float | None = None
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter with its former and its new value; None is one that is left out. The picture is its reference."""

    name: str
    old: Json
    new: Json


@dataclass(frozen=True, slots=True)
class Planned:
    """A job with what a run would do about it, and why.

    `price` is what submitting it would cost, if that is known, `spent` what its attempts cost so far. `changes` are
    those from the request that last had its key, and `former` is the id of that job.
    """

    job: Job
    action: Action
    reason: str
    price: Decimal | None = None
    spent: Decimal = Decimal(0)
    changes: tuple[Change, ...] = ()
    former: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job stands in the state. `remote_status` is the service's last word on an open attempt."""

    status: Status
    remote_status: str | None = None
    spent: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Orphan:
    """A submitted job of the state that the manifest no longer has."""

    id: str
    key: str
    status: Status


@dataclass(frozen=True, slots=True)
class Attempt:
    """An open submission. Times are Unix seconds of this machine; `skew` is the service's clock minus ours.

    Without a `request_id` it is an intent: its POST may run, its answer was lost (`lost_at`), or a crash hides which.
    `absent_at` is the time of the first sound listing after the loss that did not show it. `path` is where its video
    goes, relative to the output folder and without extension.
    """

    number: int
    job_id: str
    key: str
    image: str
    prompt_id: str
    model: str
    variables: Variables
    take: int
    fingerprint: str
    payload: Variables
    path: str
    seconds: float | None
    intended_at: float
    request_id: str | None = None
    skew: float | None = None
    lost_at: float | None = None
    absent_at: float | None = None
    accepted_at: float | None = None
    remote_status: str | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """A downloaded, verified file. `path` is relative to the output folder, with forward slashes; sizes in pixels."""

    path: str
    sha256: str
    bytes: int
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    codec: str | None = None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as the state knows it. Times are Unix seconds; `cost` covers all attempts, None where no price is known."""

    id: str
    key: str
    aliases: tuple[str, ...]
    orphaned: bool
    image: str
    prompt_id: str
    model: str
    variables: Variables
    take: int
    payload: Variables
    status: Status
    reason: str
    request_id: str | None = None
    attempts: int = 0
    submitted_at: float | None = None
    finished_at: float | None = None
    cost: Decimal | None = None
    video: Artifact | None = None
    thumbnail: Artifact | None = None
    error: str | None = None


_LITERALS = {None: "null", False: "false", True: "true"}


def canonical_json(value: Json) -> str:
    """The JSON text of `value` by RFC 8785, except that an integer keeps all its digits: 1 and 1.0 are equal."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return _LITERALS[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        # RFC 8785 3.2.3: names are sorted by their UTF-16 code units.
        members = (f"{encode_basestring(name)}:{canonical_json(value[name])}" for name in sorted(value, key=utf16))
        return "{" + ",".join(members) + "}"
    return "[" + ",".join(map(canonical_json, value)) + "]"


def utf16(name: str) -> bytes:
    """What RFC 8785 sorts names by: their UTF-16 code units."""
    return name.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """RFC 8785 3.2.2.3: numbers as ECMAScript writes them, which differs from Python where there is an exponent."""
    if not math.isfinite(value):
        raise ValueError("JSON has no such number")
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    text = repr(value)
    if "e" not in text:
        return text
    digits, exponent = text.split("e")
    power = int(exponent)
    return f"{Decimal(text):f}" if -7 < power < 21 else f"{digits}e{power:+d}"


def fingerprint(model: str, payload: Variables) -> str:
    """The sha256, in hex, of a request's canonical JSON; `payload` is complete and holds the picture's reference."""
    return hashlib.sha256(canonical_json({"model": model, "payload": payload}).encode()).hexdigest()


def job_id(request: str, take: int) -> str:
    """The identity of a take of the request with this fingerprint: 16 hex digits."""
    return hashlib.sha256(f"{request}/{take}".encode()).hexdigest()[:16]


def same_value(left: Json, right: Json) -> bool:
    """Typed equality: 1 equals 1.0, but neither "1" nor true."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, (int, float)) and isinstance(right, (int, float)):
        return left == right or (math.isnan(left) and math.isnan(right))
    if isinstance(left, str) or isinstance(right, str) or left is None or right is None:
        return type(left) is type(right) and left == right
    return canonical_json(left) == canonical_json(right)


def folded(path: str) -> str:
    """A key or path as a disk that ignores case and Unicode forms sees it: two of one fold may be one file."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
