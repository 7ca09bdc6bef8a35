"""The vocabulary of the project as enums and frozen dataclasses; canonical JSON, and the identity of requests."""

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
# The keys and indices that lead to a value in a manifest.
Route: TypeAlias = tuple[str | int, ...]


class Action(StrEnum):
    """What a run would do with a job."""

    SUBMIT = "submit"
    ATTACH = "attach"
    FETCH = "fetch"
    KEEP = "keep"
    SKIP = "skip"


class Status(StrEnum):
    """The status of a job. The last four are final."""

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


# The reason of a failed job whose request the service refused for what it shows or says.
REFUSED_CONTENT = "refused for its content"


class Origin(StrEnum):
    """Where a picture comes from."""

    FILE = "file"
    URL = "url"
    INLINE = "base64"


class SourceMap(Protocol):
    """Finds places in the text that a manifest was read from."""

    def position(self, route: Route, *, key: bool = False, offset: int = 0, length: int = 0) -> Position:
        """The place of the value at `route`; with `key`, of its key. `offset` is an index in a text value."""

    def line(self, position: Position) -> str:
        """The text of the line at `position`, without the line end."""

    def has(self, route: Route) -> bool:
        """Whether there is a value at `route`."""


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of the manifest.

    `location` is an absolute path, a URL, or the Base64 text itself. `reference` stands for the picture in payloads
    that are hashed, stored or shown: `sha256:<hex>` of its bytes, or the URL. `size` is in bytes, `width` and
    `height` are in pixels; the three are None for a URL that was not fetched. `written` is the path as the manifest
    spells it; it is empty if the picture is not a file. `row` has all columns of its row, None if it is of no table.
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
    row: Variables | None = None

    @property
    def known(self) -> Variables:
        """What people may tell pictures apart by: the variables, and the other columns of a table."""
        return {**{name: value for name, value in (self.row or {}).items() if name not in ("image", "id")}, **self.vars}


# Stands for the image of a cell that has none: of a model that takes no picture, or is given none.
NO_IMAGE = Image("", Origin.URL, "", "", {}, ())


class InputKind(StrEnum):
    """What a manifest uses a text file for."""

    MANIFEST = "manifest"
    PROMPT = "prompt"
    FRAGMENT = "fragment"
    TABLE = "table"
    AXIS = "axis"
    DEFAULTS = "defaults"


@dataclass(frozen=True, slots=True)
class Input:
    """A text file that was read for a manifest: its path as the manifest spells it, and the sha256 of its text, in hex.

    The text is hashed as UTF-8 with `\\n` line ends, so a checkout that converts line ends does not change the digest.
    """

    kind: InputKind
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of the manifest. `file` is the absolute path of its text file, None if the text is in the manifest.

    `images` are the ids of the pictures that it is for; None if it is for all of them.
    """

    id: str
    text: str
    params: Variables
    route: Route
    file: str | None = None
    images: frozenset[str] | None = None

    def is_for(self, image: str) -> bool:
        """Whether the prompt is for the picture with this id."""
        return self.images is None or image in self.images


@dataclass(frozen=True, slots=True)
class Sample:
    """A fixed random subset of the variants."""

    count: int
    seed: Json


@dataclass(frozen=True, slots=True)
class Matrix:
    """The matrix. `axes` are the variables with their values.

    `include` adds to the variants, `exclude` removes some (a list in it means any of its values), the axes in a group
    of `zip` advance together, and `sample` draws a random subset.
    """

    axes: Mapping[str, tuple[Json, ...]]
    include: tuple[Variables, ...] = ()
    exclude: tuple[Variables, ...] = ()
    zip: tuple[tuple[str, ...], ...] = ()
    sample: Sample | None = None


@dataclass(frozen=True, slots=True)
class Price:
    """What one video costs: each, or for a second of it.

    `tiers` are the prices by resolution, whose names are without case; then that of no other resolution is known.
    """

    amount: Decimal
    is_per_second: bool
    tiers: Mapping[str, Decimal] = field(default_factory=dict)

    def is_like(self, other: Price) -> bool:
        """Whether both are the same price."""
        return (self.amount, self.is_per_second, self.tiers) == (other.amount, other.is_per_second, other.tiers)

    def of(self, payload: Variables, seconds: float | None) -> Decimal | None:
        """What one submission of this payload costs, which makes `seconds` of video; None if that is not known."""
        amount = self._tier(payload) if self.tiers else self.amount
        if amount is None or not self.is_per_second:
            return amount
        return None if seconds is None else amount * Decimal(str(seconds))

    def _tier(self, payload: Variables) -> Decimal | None:
        """The price of the one resolution that the payload names."""
        named = {each.casefold() for each in payload.values() if isinstance(each, str)} & self.tiers.keys()
        return self.tiers[named.pop()] if len(named) == 1 else None


class PriceSource(StrEnum):
    """Who told the price of a model."""

    MODEL = "models"
    BUDGET = "budget"
    SERVICE = "the service"


@dataclass(frozen=True, slots=True)
class Budget:
    """Limits on jobs and cost, and the price: per job, or per second of video. Money is in `currency`.

    `models` has the prices of models that have one of their own.
    """

    max_jobs: int = 1000
    max_cost: Decimal | None = None
    price_per_job: Decimal | None = None
    price_per_second: Decimal | None = None
    currency: str = "USD"
    models: Mapping[str, Budget] = field(default_factory=dict)

    @property
    def stated(self) -> Price | None:
        """The price that the manifest states, if it does."""
        if self.price_per_job is not None:
            return Price(self.price_per_job, is_per_second=False)
        return None if self.price_per_second is None else Price(self.price_per_second, is_per_second=True)

    @property
    def has_price(self) -> bool:
        return self.stated is not None

    def of(self, model: str) -> Budget:
        """With the price of a model."""
        return self.models.get(model, self)

    def price(self, seconds: float | None) -> Decimal | None:
        """What one submission of `seconds` of video costs; None if the manifest states no price for it."""
        return None if self.stated is None else self.stated.of({}, seconds)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings of a run. `wait` and `settle` are in seconds; `verify` is `decode` or `header`."""

    concurrency: int = 16
    attempts: int = 3
    wait: float = 1800.0
    settle: float = 60.0
    verify: str = "decode"


@dataclass(frozen=True, slots=True)
class Output:
    """Where results go: absolute paths, the template of a video's path (None: the path is the job's key), the most
    bytes that previews may have (0: there are none), and the address in a bucket below which each file is copied.

    With a `home`, `state` is the copy of one in a bucket.
    """

    dir: Path
    state: Path
    file: str | None = None
    previews: int = 2_000_000_000
    mirror: str | None = None
    home: StateHome | None = None


@dataclass(frozen=True, slots=True)
class StateHome:
    """The address of the bucket that a state lives in, and where the state would be without it."""

    address: str
    former: Path


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """What a manifest says of one model: its own parameters, and whether it gets the pictures."""

    params: Variables = field(default_factory=dict)
    takes_images: bool = True


@dataclass(frozen=True, slots=True)
class Uploads:
    """The consent that files of the manifest may be put where the service can read them.

    `to` names the place, as the state does. `is_always`: even for models that take files within the request.
    """

    to: str = "service"
    is_always: bool = False


@dataclass(frozen=True, slots=True)
class ModelSchema:
    """A model as its schema file describes it: `document` is JSON Schema (2020-12) for the payload."""

    name: str
    document: Mapping[str, Json] = field(hash=False)

    @property
    def defaults(self) -> dict[str, Json]:
        """The default of each parameter that has one."""
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
class Review:
    """What reviewers are asked, the reasons that they may give, how many points (of 100) around one half are no
    difference, and by which rule clips are picked."""

    question: str = "Which is better?"
    reasons: tuple[str, ...] = ()
    margin: float = 5.0
    picks: str = "any"


_USUAL = ModelSettings()


@dataclass(frozen=True, slots=True, repr=False)
class Manifest:
    """A manifest that was read and checked.

    `path` is absolute. `axis_of_models` is true if `model` is a list. `inputs` are the text files that were read, and
    `ignored` the codes of the warnings that are switched off. `folders` are the resolved folders that text files may
    be read from; the first is the manifest's own folder. `set` are the constants that --set replaced; they are among
    the `constants`, too. `settings` are those of single models, `video` the portable parameters, and `uploads` the
    consent to uploads, if there is one. `files` are the media that parameters name, and `service_prices` the prices of
    models that the service was asked for; only planning knows them. `thresholds` are those of defects, None where the
    manifest says nothing of them. A cell has at most `most_retakes` further takes in place of rejected ones.
    `is_sandbox`: its clips are, or will be, those of the sandbox. `is_file`: it is no dictionary of Python.
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
    set: Variables = field(default_factory=dict)
    settings: Mapping[str, ModelSettings] = field(default_factory=dict)
    video: Variables = field(default_factory=dict)
    uploads: Uploads | None = None
    files: tuple[Image, ...] = ()
    service_prices: Mapping[str, Price] = field(default_factory=dict)
    thresholds: tuple[Threshold, ...] | None = None
    review: Review = field(default_factory=Review)
    most_retakes: int = 0
    is_sandbox: bool = False
    is_file: bool = True

    def __repr__(self) -> str:
        counts = ((len(self.images), "images"), (len(self.prompts), "prompts"), (len(self.matrix.axes), "axes"))
        size = ", ".join(f"{number} {noun}" for number, noun in (*counts, (self.takes, "takes")) if number)
        return f"<Manifest {self.name} ({', '.join(self.models)}): {size}>"

    def of_model(self, model: str) -> ModelSettings:
        """What the manifest says of a model."""
        return self.settings.get(model, _USUAL)

    def gives_images(self, model: str) -> bool:
        """Whether a model gets the images."""
        return bool(self.images) and self.of_model(model).takes_images

    def price_of(self, model: str) -> tuple[Price | None, PriceSource]:
        """The price of a model, and who told it: the manifest, else the service, in dollars."""
        found = self.budget.of(model).stated
        if found is not None:
            return found, PriceSource.MODEL if model in self.budget.models else PriceSource.BUDGET
        return self.service_prices.get(model), PriceSource.SERVICE

    def price(self, model: str, payload: Variables, seconds: float | None) -> Decimal | None:
        """What one submission of `seconds` of video to a model costs; None if its price is not known."""
        found, _ = self.price_of(model)
        return None if found is None else found.of(payload, seconds)

    @property
    def media(self) -> dict[str, Image]:
        """The files and addresses of its requests, by their references."""
        return {image.reference: image for image in (*self.files, *self.images)}

    @property
    def has_price(self) -> bool:
        """Whether the price of any model is known."""
        return any(self.price_of(model)[0] is not None for model in self.models)


@dataclass(frozen=True, slots=True)
class Job:
    """The rendered, validated request of a cell.

    `image` is empty if the cell has no picture. `payload` holds every parameter that is sent, with references in place
    of files. `seconds` is the requested length of the video, None if the model has no such parameter. `output` is the
    path of the video below `videos/`, without extension. Takes of one another have one `cell`: the fingerprint of their
    first. A retake is one beyond those that the manifest has.
    """

    id: str
    fingerprint: str
    take: int
    key: str
    model: str
    image: str
    prompt_id: str
    variables: Variables
    payload: Variables = field(repr=False)
    output: str
    seconds: float | None = None
    aliases: tuple[str, ...] = ()
    cell: str = ""
    is_retake: bool = False


@dataclass(frozen=True, slots=True)
class AskedTake:
    """A take that somebody asked for in place of another of the cell: `number` in place of `take`."""

    cell: str
    take: int
    number: int
    by: str


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter with its old and its new value. None means left out. A picture is given by its reference."""

    name: str
    old: Json
    new: Json


@dataclass(frozen=True, slots=True, repr=False)
class Planned:
    """A job, what a run would do with it, and why.

    `price` is what submitting it would cost, None if unknown. `spent` is what its attempts cost so far. `former` is
    the id of the job that last had the same key, and `changes` are the differences from the request of that job.
    `path` is where its clip is or will be where that is not `job.output`, and `holder` the id of the job in whose place
    it would be.
    """

    job: Job
    action: Action
    reason: str
    price: Decimal | None = None
    spent: Decimal = Decimal(0)
    changes: tuple[Change, ...] = ()
    former: str = ""
    path: str = ""
    holder: str = ""

    def __repr__(self) -> str:
        return f"<Planned {self.action} {self.job.key}: {self.reason}>"


@dataclass(frozen=True, slots=True)
class Standing:
    """The status of a job in the state. `remote_status` is what the service last reported for its open attempt.
    `is_refused`: the job failed because its content was refused.
    """

    status: Status
    remote_status: str | None = None
    spent: Decimal = Decimal(0)
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class Orphan:
    """A job in the state that was submitted and that the manifest no longer has."""

    id: str
    key: str
    status: Status


@dataclass(frozen=True, slots=True)
class Attempt:
    """An open submission.

    Without a `request_id` it is an intent: its POST may run, its answer was lost (`lost_at`), or a crash hides which.
    `window_start` and `created_at` are times of the service; `looked_at` is CLOCK_BOOTTIME of the boot `looked_boot`,
    when the first whole list was asked for that did not show the request, and `looked_failed` are the failed requests
    in it that equal this one. The other times are Unix seconds of this machine, and only shown. `path` is where its
    video goes, relative to the output folder and without extension. `addresses` were sent in place of files, by their
    references. `is_inherited`: its runner may still wake, as far as anybody knows.
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
    organisation: str | None = None
    caller: str = ""
    window_start: float | None = None
    lost_at: float | None = None
    looked_boot: str | None = None
    looked_at: float | None = None
    looked_failed: tuple[str, ...] = ()
    accepted_at: float | None = None
    created_at: float | None = None
    remote_status: str | None = None
    addresses: Variables = field(default_factory=dict)
    is_inherited: bool = False


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the answers about our own requests showed of a model.

    `is_untimed`: its times are not to be trusted. `is_sync`: a POST was answered with a final record. `aliases` are
    other names that its records go by. `rewritten` parameters come back in the echo with another value, and `hidden`
    ones not at all.
    """

    is_untimed: bool = False
    is_sync: bool = False
    aliases: frozenset[str] = frozenset()
    rewritten: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Artifact:
    """A downloaded, verified file. `path` is relative to the output folder, with forward slashes."""

    path: str
    sha256: str
    bytes: int
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    fps: float | None = None
    codec: str | None = None


@dataclass(frozen=True, slots=True)
class MirrorCopy:
    """A copy of a file in a bucket. `path` is below the address of the mirror; `version` is the store's (ETag)."""

    path: str
    sha256: str
    bytes: int
    version: str


# A measure of a clip, None where it could not be taken; and from second to second.
Measure: TypeAlias = float | bool | None
Span: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Measured:
    """What was measured of a clip.

    `values` has every measure by its name, and `spans` has where a fault was seen. `signature` is what clips are
    compared by, and `note` says what went wrong. `version` is that of the measuring; `has_flow`: with OpenCV.
    """

    values: Mapping[str, Measure]
    spans: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)
    signature: bytes = field(default=b"", repr=False)
    note: str = ""
    version: int = 0
    has_flow: bool = False

    @property
    def is_known(self) -> bool:
        """Whether anything could be measured."""
        return any(value is not None for value in self.values.values())


@dataclass(frozen=True, slots=True)
class Threshold:
    """Beyond it a clip has a defect. `sign` is one of `>`, `>=`, `<` and `<=`."""

    measure: str
    sign: str
    limit: float


@dataclass(frozen=True, slots=True)
class Credentials:
    """The Content Credentials (C2PA) that a clip came with.

    `state` is trusted, valid, invalid, or None if nobody could tell. `issuer` is who signed, by the certificate, and
    `source_type` the digital source type that they state (IPTC), such as `trainedAlgorithmicMedia`.
    """

    present: bool
    state: str | None = None
    issuer: str | None = None
    source_type: str | None = None


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as the state records it. Times are Unix seconds.

    `cost` is the sum over all attempts except rejected ones, None if none of them has a price.
    """

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
    measured: Measured | None = None
    credentials: Credentials | None = None


_LITERALS = {None: "null", False: "false", True: "true"}


def canonical_json(value: Json) -> str:
    """The JSON text of `value` by RFC 8785, so 1 and 1.0 are equal. Unlike there, an integer keeps all its digits."""
    if isinstance(value, str):
        return encode_basestring(value)
    if value is None or isinstance(value, bool):
        return _LITERALS[value]
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, Mapping):
        # RFC 8785, section 3.2.3: names are sorted by their UTF-16 code units.
        members = (f"{encode_basestring(name)}:{canonical_json(value[name])}" for name in sorted(value, key=utf16))
        return "{" + ",".join(members) + "}"
    return "[" + ",".join(map(canonical_json, value)) + "]"


def utf16(name: str) -> bytes:
    """The sort key of a name in RFC 8785: its UTF-16 code units."""
    return name.encode("utf-16-be", "surrogatepass")


def _number(value: float) -> str:
    """A number as ECMAScript writes it (RFC 8785, section 3.2.2.3). Python writes exponents differently."""
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
    """The sha256, in hex, of a request's canonical JSON. `payload` is complete, with a reference as its picture."""
    return hashlib.sha256(canonical_json({"model": model, "payload": payload}).encode()).hexdigest()


def job_id(request: str, take: int) -> str:
    """The id, 16 hex digits, of a take of the request whose fingerprint is `request`."""
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
    """A key or path without differences of case and Unicode form. Paths with equal results may be the same file."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
