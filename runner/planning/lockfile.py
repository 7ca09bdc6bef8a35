"""The lockfile: the jobs of a plan, frozen beside the manifest, so that what is bought is what was reviewed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import cast

from runner.diagnostics.text import shown
from runner.diagnostics.words import command, printable
from runner.errors import DriftError, UsageError
from runner.manifest.json_values import items, mapping
from runner.manifest.schema.wording import MANIFEST, diagnose
from runner.manifest.structure import schema as manifest_schema
from runner.model import Image, Job, Json, Manifest, Origin, canonical_json
from runner.planning.changes import changes
from runner.shipped import shipped
from runner.version import RELEASE

VERSION = 1
_NOTE = (
    "From this file and the pictures the same requests can be made again, byte for byte."
    " The service itself is not deterministic: the same request gives another video."
)
# Only this many differences are listed; further ones are counted.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Lockfile:
    """A lockfile that was read. `content` is valid by the lockfile's schema; `path` is absolute."""

    path: Path
    content: Mapping[str, Json]

    def jobs(self) -> Iterator[Mapping[str, Json]]:
        return (mapping(each) for each in items(self.content["jobs"]))

    def pictures(self) -> Iterator[Image]:
        """The pictures, with paths resolved from the lockfile's folder. Their sizes are not known."""
        for each in items(self.content["pictures"]):
            yield _picture(mapping(each), self.path.parent)


def path_of(manifest: Path) -> Path:
    return manifest.with_name(f"{manifest.stem}.lock.json")


def lines(manifest: Manifest, jobs: Iterable[Job]) -> Iterator[str]:
    """The text of a lockfile, line by line. Each job has one line, so that git diffs and merges it well."""
    yield "{\n"
    for name, value in _header(manifest).items():
        yield f"  {json.dumps(name)}: {_text(value)},\n"
    frozen = map(_job, sorted(jobs, key=lambda job: job.key))
    sections = {"files": _files(manifest), "pictures": _pictures(manifest), "jobs": frozen}
    for name, entries in sections.items():
        yield f'  "{name}": [\n'
        before = "    "
        for entry in entries:
            yield before + _text(entry)
            before = ",\n    "
        yield "\n  ]\n" if name == "jobs" else "\n  ],\n"
    yield "}\n"


def read(path: Path) -> Lockfile:
    """Read a lockfile. Raises UsageError for one that is missing, damaged or of a newer version."""
    again = "reelrun plan MANIFEST --lock writes it anew"
    try:
        content: Json = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no lockfile {path.name}", "reelrun plan MANIFEST --lock writes it") from None
    except OSError as error:
        raise UsageError(f"the lockfile {path.name} cannot be read: {error.strerror}", again) from None
    except (ValueError, RecursionError):
        hint = f"look for what a merge has left in it; {again}"
        raise UsageError(f"the lockfile {path.name} is not JSON", hint) from None
    version = content.get("version") if isinstance(content, Mapping) else None
    if isinstance(version, int) and version > VERSION:
        raise UsageError(
            f"the lockfile {path.name} is of version {version}", f"this version of reelrun reads {VERSION}"
        )
    for diagnostic in diagnose(_schema(), content, MANIFEST):
        place = "/".join(map(str, diagnostic.route)) or "its top"
        raise UsageError(f"the lockfile {path.name} is damaged at {place}: {diagnostic.message}", again)
    return Lockfile(path.absolute(), cast(Mapping[str, Json], content))


def drift(lockfile: Lockfile, manifest: Manifest, jobs: Iterable[Job]) -> tuple[str, ...]:
    """The differences between the lockfile and the present manifest, one line each; empty if there are none.

    The version of the tool is ignored: only what it plans counts.
    """
    locked, now = lockfile.content, _header(manifest)
    found = [
        *_named("schema", mapping(locked["schemas"]), mapping(now["schemas"])),
        *_named("", _by(locked["files"], "path"), _by(list(_files(manifest)), "path")),
        *_named("picture", _by(locked["pictures"], "id"), _by(list(_pictures(manifest)), "id")),
        *_jobs({str(each["key"]): each for each in lockfile.jobs()}, {job.key: job for job in jobs}),
    ]
    if locked["manifest"] != now["manifest"]:
        found.insert(0, f"name: {locked['manifest']} -> {now['manifest']}")
    return tuple(found)


def check(manifest: Manifest, jobs: Iterable[Job]) -> None:
    """Raise DriftError if the manifest differs from its lockfile, and UsageError as `read` does."""
    path = path_of(manifest.path)
    every = drift(read(path), manifest, jobs)
    if every:
        more = [f"... and {len(every) - _SHOWN:,} more"] if len(every) > _SHOWN else []
        lines = "".join(f"\n  {printable(each)}" for each in (*every[:_SHOWN], *more))
        again = command("plan", shown(manifest.path), "--lock")
        hint = f"take the changes back, or review them and freeze them: {again}"
        raise DriftError(f"{printable(path.name)} does not fit {printable(manifest.path.name)} any more:{lines}", hint)


def _named(what: str, locked: Mapping[str, Json], now: Mapping[str, Json]) -> Iterator[str]:
    for name in sorted({*locked, *now}):
        if locked.get(name) != now.get(name):
            verb = "is not in the lockfile" if name not in locked else "is gone" if name not in now else "changed"
            yield f"{what} {name} {verb}".lstrip()


def _jobs(locked: Mapping[str, Mapping[str, Json]], now: Mapping[str, Job]) -> Iterator[str]:
    """The jobs that differ. Jobs with the same difference share one line."""
    alike: dict[str, list[str]] = {}
    for key, what in _differing(locked, now):
        alike.setdefault(what, []).append(key)
    for what, keys in alike.items():
        more = f" (and {len(keys) - 1:,} more)" if len(keys) > 1 else ""
        yield f"job {keys[0]} {what}{more}"


def _differing(locked: Mapping[str, Mapping[str, Json]], now: Mapping[str, Job]) -> Iterator[tuple[str, str]]:
    """Keys, each with its difference. A job that only has another key in the lockfile counts as renamed."""
    renamed = {str(each["id"]) for each in locked.values()} & {job.id for job in now.values()}
    for key, job in now.items():
        if key not in locked:
            yield key, "is the new key of a job" if job.id in renamed else "is new"
        elif locked[key] != json.loads(_text(_job(job))):
            names = [each.name for each in changes(job.payload, mapping(locked[key]["payload"]))]
            yield key, f"changed: {', '.join(names) or 'its place in the sweep'}"
    for key, each in locked.items():
        if key not in now and each["id"] not in renamed:
            yield key, "is gone"


def _header(manifest: Manifest) -> dict[str, Json]:
    schemas = {"manifest": _digest(manifest_schema())}
    schemas.update({model: _digest(manifest.schemas[model].document) for model in sorted(manifest.models)})
    return {
        "version": VERSION,
        "note": _NOTE,
        "tool": f"reelrun {RELEASE}",
        "manifest": manifest.name,
        "schemas": schemas,
    }


def _files(manifest: Manifest) -> Iterator[dict[str, Json]]:
    for each in sorted(manifest.inputs, key=lambda each: (each.path, each.kind)):
        yield {"path": _portable(each.path, manifest), "kind": str(each.kind), "sha256": each.sha256}


def _pictures(manifest: Manifest) -> Iterator[dict[str, Json]]:
    for image in sorted(manifest.images, key=lambda each: each.id):
        if image.origin is Origin.URL:
            yield {"id": image.id, "url": image.location}
        else:
            where = {"base64": image.location} if image.origin is Origin.INLINE else {}
            path = {"path": _portable(image.written, manifest)} if image.origin is Origin.FILE else {}
            yield {"id": image.id, **path, **where, "sha256": image.reference.removeprefix("sha256:")}


def _portable(written: str, manifest: Manifest) -> str:
    """A path that works on another machine: an absolute path becomes relative to the manifest's folder."""
    path = os.path.relpath(written, manifest.path.parent) if os.path.isabs(written) else written
    return path.replace(os.sep, "/")


def _job(job: Job) -> dict[str, Json]:
    return {
        "key": job.key,
        "id": job.id,
        "image": job.image,
        "prompt_id": job.prompt_id,
        "model": job.model,
        "variables": dict(job.variables),
        "take": job.take,
        "payload": dict(job.payload),
    }


def _picture(entry: Mapping[str, Json], folder: Path) -> Image:
    name = str(entry["id"])
    if "url" in entry:
        return Image(name, Origin.URL, str(entry["url"]), str(entry["url"]), {}, ())
    reference = f"sha256:{entry['sha256']}"
    if "base64" in entry:
        return Image(name, Origin.INLINE, str(entry["base64"]), reference, {}, ())
    return Image(name, Origin.FILE, str(folder / str(entry["path"])), reference, {}, (), written=str(entry["path"]))


def _by(entries: Json, name: str) -> dict[str, Json]:
    return {str(mapping(each)[name]): each for each in items(entries)}


def _digest(document: Json) -> str:
    return hashlib.sha256(canonical_json(document).encode(errors="surrogatepass")).hexdigest()


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


@cache
def _schema() -> Mapping[str, Json]:
    return cast(Mapping[str, Json], json.loads((shipped("schemas") / "lockfile.schema.json").read_text("utf-8")))
