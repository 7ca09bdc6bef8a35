"""A publication as a whole: the picks, checked; their copies; the lists, the page, and what else is asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from runner.buckets.bucket import Bucket
from runner.errors import BucketError, PublishError, UsageError
from runner.media import is_reference, media_of, parameters_of
from runner.model import JobRecord, Json, Manifest, Variables, fingerprint
from runner.planning.selection import Selection
from runner.review.publishing.clip_copies import CopyError, CopyOrder, make_copy
from runner.review.publishing.destination import Destination, Fate, opened
from runner.review.publishing.files_beside import files_beside, folder_beside, relative
from runner.review.publishing.handover_page import handover_page
from runner.review.publishing.marks.xmp import ALGORITHMIC, SUFFIX, TRAINED, SourceMark
from runner.review.publishing.places.bucket_place import BucketPlace
from runner.review.publishing.places.folder_place import FolderPlace
from runner.review.publishing.publish_order import PublishOrder
from runner.review.publishing.published_clip import PublishedClip, table_of
from runner.review.publishing.published_names import check_distinct, namer
from runner.secret import refuse_key
from runner.state.disk import hash_file
from runner.state.store import Store
from runner.verdicts.picks import Picker
from runner.verdicts.verdict import Marking
from runner.verdicts.votes import verdicts_on
from runner.video.credentials import credentials_of

_SANDBOX = "sandbox"
_LABEL, _SANDBOX_LABEL = "Made with AI", "Sandbox, not AI"
_PAGE, _TABLE = "index.html", "published.csv"
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Publication:
    """How it went. `fates` are by path; `failed` are the files that could not be made or put, with what was wrong.

    `orphaned` is how many picked clips were left out because the manifest does not have their jobs any more; `trouble`
    is what the bucket said that did not take some of the files.
    """

    clips: int
    fates: Mapping[str, Fate]
    failed: Mapping[str, str] = field(default_factory=dict)
    orphaned: int = 0
    trouble: BucketError | None = None

    def of(self, fate: Fate) -> list[str]:
        return [path for path, each in self.fates.items() if each is fate]


def publish(manifest: Manifest, store: Store, selection: Selection, order: PublishOrder) -> Publication:
    """Publish the picked clips of the selected jobs. What was delivered is only read.

    Raises UsageError and PublishError before anything is written; LockedError, DiskError and, where not even the list
    can be read, BucketError.
    """
    _check_folder(manifest, order.to)
    clips, orphaned, picked = _picks(manifest, store, selection, order)
    folder = folder_beside(manifest, order)
    names = [(clip.path, clip.record.key) for clip in clips]
    check_distinct([*names, *((relative(file, folder), flag) for file, flag in order.files())])
    _check_extras(clips, order)
    _check_sources(clips)
    place = FolderPlace(order.to) if isinstance(order.to, Path) else BucketPlace(order.to)
    if not clips and place.read_list() is None:
        return Publication(0, {}, orphaned=orphaned)
    is_sandbox = store.note("service") == _SANDBOX
    copies = [(clip, _copy_of(manifest, clip, order, is_sandbox=is_sandbox)) for clip in clips]
    sidecars = [clip.path + SUFFIX for clip, copy in copies if copy.sidecar is not None]
    wanted = [*(clip.path for clip in clips), *sidecars]
    with opened(place, manifest) as destination, files_beside(manifest, order, destination) as beside:
        destination.expect([*wanted, _TABLE, _PAGE])
        failed = _put_clips(destination, copies)
        # Of a clip that failed, what an earlier publish made of it stays.
        there = [clip for clip in clips if destination.has(clip.path)]
        documents: list[Json] = [clip.document(destination.sha256_of(clip.path)) for clip in there]
        _put_page(destination, manifest, there, order, is_sandbox=is_sandbox)
        beside.put_timelines(manifest.name, there)
        failed |= beside.put_sheets(there)
        paths = [path for clip in there for path in (clip.path, clip.path + SUFFIX)]
        beside.put_archive(destination.listing(documents), [*paths, _TABLE, _PAGE])
        destination.finish(documents, wanted, picked)
    own = beside.own
    fates = destination.fates | (beside.fates if own is not destination else {})
    failed |= destination.failures | own.failures
    return Publication(len(there), fates, failed, orphaned, destination.trouble or own.trouble)


def _check_folder(manifest: Manifest, folder: Path | Bucket) -> None:
    """The results of a run have a page and files of their own."""
    output, mirror = manifest.output.dir, manifest.output.mirror
    if isinstance(folder, Path):
        own = [output / name for name in ("videos", "thumbnails", "others", "previews", "bucket-state")]
        is_own = folder == output or any(folder.is_relative_to(each) for each in own)
    else:
        is_own = mirror is not None and f"{folder}/".startswith(f"{mirror}/")
    if is_own:
        raise UsageError(f"{folder} holds what was delivered", "name a folder of its own for what is published")


def _picks(
    manifest: Manifest, store: Store, selection: Selection, order: PublishOrder
) -> tuple[list[PublishedClip], int, frozenset[str]]:
    """The clips to publish, how many picked ones have no job any more, and the jobs of all that is picked."""
    verdicts = verdicts_on(manifest, store)
    picked = Picker(manifest).picked(store, verdicts)
    records = [each for each in store.records() if each.id in picked and selection.has(each)]
    kept = [each for each in records if not each.orphaned and each.video is not None]
    name, clips = namer(manifest, order.name), []
    for record in kept:
        source = manifest.output.dir / (record.video.path if record.video is not None else "")
        path = name(record) + (CopyOrder(source, "", label=_LABEL * order.has_label).suffix)
        pickers = verdicts.marked(record.id, Marking.PICK)
        clips.append(PublishedClip(record, source, path, None if order.is_anonymous else pickers))
    return clips, len(records) - len(kept), picked


def _check_sources(clips: Sequence[PublishedClip]) -> None:
    """Raises PublishError where what was delivered is not there, or was changed."""
    wrong = [f"{clip.source} {why}" for clip in clips if (why := _why_not(clip))]
    if wrong:
        more = [f"... and {len(wrong) - _SHOWN:,} more"] if len(wrong) > _SHOWN else []
        told = "; ".join((*wrong[:_SHOWN], *more))
        hint = "reelrun verify MANIFEST --repair fetches what the service still has; nothing was published"
        raise PublishError(told, hint)


def _why_not(clip: PublishedClip) -> str:
    if not clip.source.is_file():
        return "is not there"
    try:
        return "" if hash_file(clip.source) == clip.source_sha256 else "was changed since it was delivered"
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def _check_extras(clips: Sequence[PublishedClip], order: PublishOrder) -> None:
    """What can be known to fail before anything is written."""
    for file in order.timelines:
        from runner.review.publishing.edit_lists import rate_of

        rate_of(clips, is_timecode=file.suffix.lower() == ".edl")
    if order.sheet is not None:
        from runner.review.publishing.sheets import MOST

        if len(clips) > MOST:
            hint = "choose among them with --only, --skip or --where"
            raise UsageError(f"a sheet has room for {MOST} clips, not for {len(clips):,}", hint)


def _put_clips(destination: Destination, copies: Sequence[tuple[PublishedClip, CopyOrder]]) -> dict[str, str]:
    """Put each clip, with its mark beside it where it cannot be inside. Returns those that failed, and why."""
    failed = {}
    for clip, copy in copies:
        try:
            fate = destination.put(clip.path, copy.recipe, partial(make_copy, copy), clip.record.id)
            if copy.sidecar is not None and fate in (Fate.KEPT, Fate.WRITTEN):
                _put_bytes(destination, clip.path + SUFFIX, copy.sidecar, clip.record.id)
        except CopyError as error:
            failed[clip.path] = str(error)
    return failed


def _put_bytes(destination: Destination, path: str, content: bytes, job: str = "") -> None:
    refuse_key((content.decode(),), path)
    destination.put(path, hashlib.sha256(content).hexdigest(), partial(_write, content=content), job)


def _copy_of(manifest: Manifest, clip: PublishedClip, order: PublishOrder, *, is_sandbox: bool) -> CopyOrder:
    record = clip.record
    label = (_SANDBOX_LABEL if is_sandbox else _LABEL) * order.has_label
    copy = CopyOrder(clip.source, clip.source_sha256, label=label)
    if not order.marks:
        return copy
    prompt = record.payload.get("prompt") if order.with_prompt else ""
    system = "reelrun sandbox (no AI)" if is_sandbox else record.model
    source_type = ALGORITHMIC if is_sandbox else TRAINED
    mark = SourceMark(clip.title, system, source_type, prompt if isinstance(prompt, str) else "")
    return replace(
        copy,
        mark=mark,
        facts=_facts(manifest, record),
        certificate=order.certificate,
        is_sealed=credentials_of(clip.source).present,
    )


def _facts(manifest: Manifest, record: JobRecord) -> Variables:
    """What a signature also vouches for. A picture is told by its hash, an address by nothing: it may be private."""
    schema = manifest.schemas.get(record.model)
    media = media_of(record.payload, parameters_of(schema) if schema is not None else ())
    return {
        "model": record.model,
        "request_id": record.request_id,
        "job": record.id,
        "fingerprint": fingerprint(record.model, record.payload),
        "pictures": [each.text for each in media if is_reference(each.text)],
    }


def _put_page(
    destination: Destination,
    manifest: Manifest,
    clips: Sequence[PublishedClip],
    order: PublishOrder,
    *,
    is_sandbox: bool,
) -> None:
    """The list as a table, and the page."""
    documents = [clip.document(destination.sha256_of(clip.path)) for clip in clips]
    page = handover_page(manifest.name, clips, _marked(order), is_sandbox=is_sandbox)
    for path, text in ((_TABLE, table_of(documents)), (_PAGE, page)):
        _put_bytes(destination, path, text.encode(errors="backslashreplace"))


def _marked(order: PublishOrder) -> str:
    if not order.marks:
        return ""
    if order.certificate is None:
        return "Each file says of itself that AI made it (XMP)."
    trial = ", with a certificate for trying that nobody trusts" if order.certificate.is_trial else ""
    return f"Each file says of itself that AI made it (XMP, Content Credentials{trial})."


def _write(target: Path, content: bytes) -> None:
    target.write_bytes(content)
