"""The lockfile: the jobs of a plan, frozen beside the manifest, so that what is bought is what was reviewed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import cast

from runner.diagnostics.text import shown
from runner.diagnostics.words import command, money, printable
from runner.errors import DriftError, UsageError
from runner.manifest.json_values import mapping
from runner.manifest.schema.wording import MANIFEST, diagnose
from runner.manifest.structure import schema as manifest_schema
from runner.model import Image, Input, InputKind, Job, Json, Manifest, Origin, Price, PriceSource, canonical_json
from runner.planning.changes import changes
from runner.shipped import shipped

VERSION = 2
_NOTE = (
    "From this file and the pictures the same requests can be made again, byte for byte."
    " The service itself is not deterministic: the same request gives another video."
)
# The prices of a model, by their names in the budget.
_PRICES = ("price_per_job", "price_per_second")
_SERVICE = "service"
# Only this many differences are listed; further ones are counted.
_SHOWN = 20
_AGAIN = "reelrun plan MANIFEST --lock writes it anew"


@dataclass(frozen=True, slots=True)
class Lockfile:
    """A lockfile that was read. `content` is valid by the lockfile's schema; `path` is absolute."""

    path: Path
    content: Mapping[str, Json]

    def section(self, name: str) -> dict[str, Mapping[str, Json]]:
        """One of its mappings of mappings: `files`, `pictures`, `prices` or `jobs`."""
        return {key: mapping(each) for key, each in mapping(self.content[name]).items()}

    def jobs(self) -> Iterator[tuple[str, Mapping[str, Json]]]:
        """Each job with its key."""
        return iter(self.section("jobs").items())

    def pictures(self) -> Iterator[Image]:
        """The pictures, with paths resolved from the lockfile's folder. Their sizes are not known."""
        return (_picture(name, each, self.path.parent) for name, each in self.section("pictures").items())


@dataclass(frozen=True, slots=True)
class Drift:
    """The differences from a lockfile, one line each: of what is bought, and others."""

    bought: tuple[str, ...]
    others: tuple[str, ...]


def path_of(manifest: Path) -> Path:
    return manifest.with_name(f"{manifest.stem}.lock.json")


def lines(manifest: Manifest, jobs: Iterable[Job]) -> Iterator[str]:
    """The text of a lockfile, piece by piece.

    In each section a key has a line, its value the next one, and a blank line follows. So git merges edits of
    neighbours, and shows for each what it is about. Retakes are left out.
    """
    yield f'{{\n  "version": {VERSION},\n  "note": {_text(_NOTE)}'
    frozen = sorted(_without_retakes(jobs), key=lambda job: job.key)
    sections = {**_head(manifest), "jobs": ((job.key, _job(job)) for job in frozen)}
    for name, entries in sections.items():
        yield f",\n  {_text(name)}: {{"
        before, end = "\n", ""
        for key, value in sorted(entries.items()) if isinstance(entries, dict) else entries:
            yield f"{before}    {_text(key)}:\n      {_text(value)}"
            before, end = ",\n\n", "\n  "
        yield f"{end}}}"
    yield "\n}\n"


def _without_retakes(jobs: Iterable[Job]) -> Iterator[Job]:
    """Retakes come by verdicts, which are no part of what was reviewed here: they stand outside the lockfile."""
    return (job for job in jobs if not job.is_retake)


def read(path: Path) -> Lockfile:
    """Read a lockfile, as one of the present version. Raises UsageError if it is missing, damaged or newer."""
    try:
        content: Json = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no lockfile {path.name}", "reelrun plan MANIFEST --lock writes it") from None
    except OSError as error:
        raise UsageError(f"the lockfile {path.name} cannot be read: {error.strerror}", _AGAIN) from None
    except (ValueError, RecursionError):
        hint = f"look for what a merge has left in it; {_AGAIN}"
        raise UsageError(f"the lockfile {path.name} is not JSON", hint) from None
    version = content.get("version") if isinstance(content, Mapping) else None
    if isinstance(version, int) and version > VERSION:
        raise UsageError(
            f"the lockfile {path.name} is of version {version}", f"this version of reelrun reads {VERSION}"
        )
    if isinstance(content, Mapping) and version == 1:
        content = _of_version_1(content)
    for diagnostic in diagnose(_schema(), content, MANIFEST):
        place = "/".join(map(str, diagnostic.route)) or "its top"
        raise UsageError(f"the lockfile {path.name} is damaged at {place}: {diagnostic.message}", _AGAIN)
    return Lockfile(path.absolute(), cast(Mapping[str, Json], content))


def _of_version_1(content: Mapping[str, Json]) -> dict[str, Json]:
    """A lockfile of version 1 as one of version 2. It had lists of entries that name themselves, and no prices.

    What is no such list stays, for the schema to find.
    """
    new: dict[str, Json] = {name: each for name, each in content.items() if name not in ("tool", "manifest")}
    for section, name in (("files", "path"), ("pictures", "id"), ("jobs", "key")):
        entries = new.get(section)
        if isinstance(entries, list) and all(isinstance(each, Mapping) and name in each for each in entries):
            named = ((str(each[name]), {key: each[key] for key in each if key != name}) for each in entries)
            new[section] = {key: each for key, each in named if each.get("kind") != "manifest"}
    return {**new, "version": VERSION, "set": {}, "prices": {}}


def drift(lockfile: Lockfile, manifest: Manifest, jobs: Iterable[Job]) -> Drift:
    """The differences between the lockfile and the present manifest. The version of the tool is none of them."""
    now = _head(manifest)
    present = {job.key: job for job in _without_retakes(jobs)}
    bought, others = _jobs(lockfile.section("jobs"), present)
    rises, prices = _prices(lockfile.section("prices"), manifest, present.values())
    return Drift(
        (*bought, *rises),
        (
            *_named("constant of --set", mapping(lockfile.content["set"]), now["set"]),
            *_named("schema", mapping(lockfile.content["schemas"]), now["schemas"]),
            *_named("", _digests(lockfile.section("files")), _digests(now["files"])),
            *_named("picture", lockfile.section("pictures"), now["pictures"]),
            *others,
            *prices,
        ),
    )


def check(manifest: Manifest, jobs: Iterable[Job], *, strict: bool = False) -> tuple[str, ...]:
    """Raise DriftError if what is bought differs from the lockfile; with `strict`, if anything does.

    Returns the other differences. Raises UsageError as `read` does.
    """
    path = path_of(manifest.path)
    found = drift(read(path), manifest, jobs)
    if not found.bought and not (strict and found.others):
        return found.others
    every = (*found.bought, *found.others)
    more = [f"... and {len(every) - _SHOWN:,} more"] if len(every) > _SHOWN else []
    told = "".join(f"\n  {printable(each)}" for each in (*every[:_SHOWN], *more))
    again = command("plan", shown(manifest.path), "--lock")
    hint = f"take the changes back, or review them and freeze them: {again}"
    raise DriftError(f"{printable(path.name)} does not fit {printable(manifest.path.name)} any more:{told}", hint)


def _named(what: str, locked: Mapping[str, Json], now: Mapping[str, Json]) -> Iterator[str]:
    for name in sorted({*locked, *now}):
        if locked.get(name) != now.get(name):
            verb = "is not in the lockfile" if name not in locked else "is gone" if name not in now else "changed"
            yield f"{what} {name} {verb}".lstrip()


def _digests(files: Mapping[str, Json]) -> dict[str, Json]:
    """What a file is to the manifest is no difference: version 1 called fragments prompts."""
    return {path: mapping(each)["sha256"] for path, each in files.items()}


def _jobs(locked: Mapping[str, Mapping[str, Json]], now: Mapping[str, Job]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The jobs that are new, gone or changed, and those that only have another key or place.

    Jobs with the same difference share one line.
    """
    alike: dict[tuple[bool, str], list[str]] = {}
    for key, is_bought, what in _differing(locked, now):
        alike.setdefault((is_bought, what), []).append(key)
    told: dict[bool, list[str]] = {True: [], False: []}
    for (is_bought, what), keys in alike.items():
        more = f" (and {len(keys) - 1:,} more)" if len(keys) > 1 else ""
        told[is_bought].append(f"job {keys[0]} {what}{more}")
    return tuple(told[True]), tuple(told[False])


def _differing(locked: Mapping[str, Mapping[str, Json]], now: Mapping[str, Job]) -> Iterator[tuple[str, bool, str]]:
    """Keys, each with whether what is bought differs, and how. A job is the same under another key."""
    before, after = {str(each["id"]) for each in locked.values()}, {job.id for job in now.values()}
    for key, job in now.items():
        is_new = job.id not in before
        if key not in locked:
            yield key, is_new, "is new" if is_new else "is the new key of a job"
        elif locked[key]["id"] != job.id:
            names = [each.name for each in changes(job.payload, mapping(locked[key]["payload"]))]
            yield key, is_new, f"changed: {', '.join(names) or 'its model or take'}"
        elif locked[key] != json.loads(_text(_job(job))):
            yield key, False, "changed: its place in the sweep"
    for key, each in locked.items():
        if key not in now and each["id"] not in after:
            yield key, True, "is gone"


def _prices(
    locked: Mapping[str, Mapping[str, Json]], manifest: Manifest, jobs: Iterable[Job]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The models whose jobs cost more than when they were frozen, and those whose price changed otherwise."""
    rises, others, budget = [], [], manifest.budget
    pairs: dict[str, set[tuple[Decimal | None, Decimal | None]]] = {}
    frozen = {model: _price_in(entry) for model, entry in locked.items()}
    now = {model: manifest.price_of(model)[0] for model in manifest.models}
    for job in jobs:
        pair = (_cost(frozen.get(job.model), job), _cost(now[job.model], job))
        pairs.setdefault(job.model, set()).add(pair)
    for model, found in pairs.items():
        currency = mapping(locked.get(model)).get("currency", budget.currency)
        known = sorted((old, new) for old, new in found if old is not None and new is not None)
        if currency == budget.currency and any(new > old for old, new in known):
            old, new = next((old, new) for old, new in known if new > old)
            rises.append(f"price of {model} rose: {money(old, budget.currency)} -> {money(new, budget.currency)} a job")
        elif now[model] is None and mapping(locked.get(model)).get("source") == _SERVICE:
            # The service is asked only where something is to be submitted.
            continue
        elif any(old != new for old, new in found) or (known and currency != budget.currency):
            others.append(f"price of {model} changed")
    return tuple(rises), tuple(others)


def _cost(price: Price | None, job: Job) -> Decimal | None:
    return None if price is None else price.of(job.payload, job.seconds)


def frozen_price(manifest: Manifest, model: str) -> Price | None:
    """The price of a model in the lockfile of a manifest; None if there is none. Raises UsageError as `read` does."""
    path = path_of(manifest.path)
    return _price_in(read(path).section("prices").get(model, {})) if path.is_file() else None


def _price_in(entry: Mapping[str, Json]) -> Price | None:
    """The price of a lockfile's entry."""
    name = next((name for name in _PRICES if entry.get(name) is not None), None)
    tiers = {tier: Decimal(str(amount)) for tier, amount in mapping(entry.get("tiers")).items()}
    return None if name is None else Price(Decimal(str(entry[name])), name == "price_per_second", tiers)


def _entry_of(price: Price, source: PriceSource, currency: str) -> dict[str, Json]:
    return {
        "price_per_second" if price.is_per_second else "price_per_job": float(price.amount),
        **({"tiers": {name: float(amount) for name, amount in price.tiers.items()}} if price.tiers else {}),
        **({"source": _SERVICE} if source is PriceSource.SERVICE else {}),
        "currency": currency,
    }


def _prices_of(manifest: Manifest) -> dict[str, Json]:
    """The price of each model that has one."""
    told = {model: manifest.price_of(model) for model in manifest.models}
    currency = manifest.budget.currency
    return {model: _entry_of(price, source, currency) for model, (price, source) in told.items() if price is not None}


def _head(manifest: Manifest) -> dict[str, dict[str, Json]]:
    """The sections before the jobs, each by its keys."""
    return {
        "set": dict(manifest.set),
        "schemas": {
            "manifest": _digest(manifest_schema()),
            **{model: _digest(manifest.schemas[model].document) for model in manifest.models},
        },
        "files": {_portable(each.path, manifest): _file(each) for each in manifest.inputs[::-1] if _is_named(each)},
        "pictures": {name: _frozen(image, manifest) for name, image in _pictures(manifest)},
        "prices": _prices_of(manifest),
    }


def _pictures(manifest: Manifest) -> Iterator[tuple[str, Image]]:
    """The images by their ids, and the files that parameters name by their paths."""
    taken = {image.id for image in manifest.images}
    yield from ((image.id, image) for image in manifest.images)
    yield from ((f"./{file.id}" if file.id in taken else file.id, file) for file in manifest.files)


def _is_named(file: Input) -> bool:
    """Whether the manifest names the file: it is not the manifest itself, of which the jobs say all that counts."""
    return file.kind is not InputKind.MANIFEST


def _file(file: Input) -> dict[str, Json]:
    return {"kind": str(file.kind), "sha256": file.sha256}


def _frozen(image: Image, manifest: Manifest) -> dict[str, Json]:
    if image.origin is Origin.URL:
        return {"url": image.location}
    where = {"base64": image.location} if image.origin is Origin.INLINE else {}
    path = {"path": _portable(image.written, manifest)} if image.origin is Origin.FILE else {}
    return {**path, **where, "sha256": image.reference.removeprefix("sha256:")}


def _portable(written: str, manifest: Manifest) -> str:
    """A path that works on another machine: an absolute path becomes relative to the manifest's folder."""
    path = os.path.relpath(written, manifest.path.parent) if os.path.isabs(written) else written
    return path.replace(os.sep, "/")


def _job(job: Job) -> dict[str, Json]:
    return {
        "id": job.id,
        "image": job.image or None,
        "prompt_id": job.prompt_id,
        "model": job.model,
        "variables": dict(job.variables),
        "take": job.take,
        "payload": dict(job.payload),
    }


def _picture(name: str, entry: Mapping[str, Json], folder: Path) -> Image:
    if "url" in entry:
        return Image(name, Origin.URL, str(entry["url"]), str(entry["url"]), {}, ())
    reference = f"sha256:{entry['sha256']}"
    if "base64" in entry:
        return Image(name, Origin.INLINE, str(entry["base64"]), reference, {}, ())
    return Image(name, Origin.FILE, str(folder / str(entry["path"])), reference, {}, (), written=str(entry["path"]))


def _digest(document: Json) -> str:
    return hashlib.sha256(canonical_json(document).encode(errors="surrogatepass")).hexdigest()


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


@cache
def _schema() -> Mapping[str, Json]:
    return cast(Mapping[str, Json], json.loads((shipped("schemas") / "lockfile.schema.json").read_text("utf-8")))
