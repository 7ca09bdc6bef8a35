"""The rows about the files of jobs and their copies."""

from dataclasses import replace

import pytest

from runner.model import Artifact, MirrorCopy, Status
from runner.state.store import Store
from tests.kit import make_job, register, write_state

MIRROR, OTHER = "s3://campaigns/spring", "gs://elsewhere"


def file(name, digits):
    return Artifact(f"videos/{name}.mp4", digits * 32, 10)


def finish(store, job, *files):
    """A job that succeeded, with a video and a thumbnail."""
    with store.transaction():
        attempt = store.intend(job, 1.0, None, "USD")
        for kind, each in zip(("video", "thumbnail"), files, strict=False):
            store.keep(job.id, kind, each)
        store.conclude(attempt, Status.SUCCEEDED, 2.0)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "state.sqlite") as opened:
        yield opened.seen_from(tmp_path / "campaign.yaml")


def test_what_a_mirror_lacks_counts_by_content_and_goes_by_job(store):
    jobs = sorted((make_job(number) for number in range(3)), key=lambda each: each.id)
    with store.transaction():
        register(store, jobs, "digest")
    finish(store, jobs[0], file("a", "aa"), file("t", "cc"))
    finish(store, jobs[1], file("b", "bb"), file("u", "cc"))
    assert (store.uncopied(MIRROR), store.uncopied(OTHER)) == (3, 3)
    assert store.uncopied_jobs(MIRROR) == [jobs[0].id, jobs[1].id]
    assert store.uncopied_jobs(MIRROR, jobs[0].id) == [jobs[1].id]
    assert store.uncopied_jobs(MIRROR, most=1) == [jobs[0].id]
    copy = MirrorCopy("videos/a.mp4", "aa" * 32, 10, '"v"')
    with store.transaction():
        store.keep_copy(MIRROR, copy)
        store.keep_copy(MIRROR, MirrorCopy("videos/t.mp4", "cc" * 32, 10, '"v"'))
    assert (store.uncopied(MIRROR), store.uncopied(OTHER)) == (1, 3)
    assert store.uncopied_jobs(MIRROR) == [jobs[1].id]
    assert store.copy_of(MIRROR, "aa" * 32) == copy
    assert store.copy_of(OTHER, "aa" * 32) is None
    assert (store.is_path_copied(MIRROR, "videos/a.mp4"), store.is_path_copied(OTHER, "videos/a.mp4")) == (True, False)
    assert list(store.copies_of_clips(MIRROR)) == [(jobs[0].id, copy)]
    with store.transaction():
        store.forget_copy(MIRROR, "aa" * 32)
    assert store.uncopied(MIRROR) == 2


def test_files_of_a_job_that_is_fetched_again_are_none(store):
    job = make_job()
    with store.transaction():
        register(store, [job], "digest")
    finish(store, job, file("a", "aa"))
    further = [replace(file("a-2", "dd"), path="others/a-2.mp4")]
    with store.transaction():
        store.keep_further(job.id, [file("old", "ee")])
        store.keep_further(job.id, further)
    assert store.files_of(job.id) == [file("a", "aa"), *further]
    assert store.further_videos() == {job.id: further}
    with store.transaction():
        store.reopen(job.id)
    assert (store.files_of(job.id), store.uncopied(MIRROR)) == ([], 0)


def test_orphans_count_and_jobs_of_other_manifests_do_not(store, tmp_path):
    jobs = [make_job(number) for number in range(3)]
    for name, digest, own in (("other.yaml", "1", jobs[:1]), ("campaign.yaml", "2", jobs[1:])):
        (tmp_path / name).write_text("version: 1")
        store.seen_from(tmp_path / name)
        with store.transaction():
            register(store, own, digest)
    for number, job in enumerate(jobs):
        finish(store, job, file(str(number), f"a{number}"))
    with store.transaction():
        register(store, jobs[1:2], "3")
    assert sorted(store.uncopied_jobs(MIRROR)) == sorted(each.id for each in jobs[1:])


def test_a_state_of_this_version_knows_its_copies(tmp_path):
    with Store.open(write_state(tmp_path / "state.sqlite", 11)) as store:
        path = "videos/shoe/plain/fate=succeeded/take-1.mp4"
        (job_id,) = (each.id for each in store.records() if each.video and each.video.path == path)
        thumbnail, clip = sorted(store.files_of(job_id), key=lambda each: each.path)
        assert store.copy_of(MIRROR, clip.sha256).path == path
        assert list(store.copies_of_clips(MIRROR)) == [], "of its thumbnail the mirror has no copy"
        with store.transaction():
            store.keep_copy(MIRROR, MirrorCopy(thumbnail.path, thumbnail.sha256, thumbnail.bytes, "v"))
        assert list(store.copies_of_clips(MIRROR)) == [(job_id, store.copy_of(MIRROR, clip.sha256))]
