"""Globs find among objects what they find among files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from runner.buckets.bucket import Stored
from runner.buckets.bucket_address import BucketAddress
from runner.errors import UsageError
from runner.manifest.pictures.bucket_globs import folder_of, matching_objects
from runner.manifest.pictures.glob_search import TooManyEntriesError, matching, near
from tests.test_manifest_pictures_glob_search import FILES, PATTERNS

NAMES = (*FILES, "one/A.PNG", "two/a.jpeg", "two/[b].png", "one/two/.x.png")
# Paths in a bucket have no `..`, and none of its parts is empty.
OBJECT_PATTERNS = [
    *(each for each in PATTERNS if not ({"..", "."} & set(each.split("/"))) and "//" not in each and each[0] != "/"),
    *(
        "**/*.{png,jpg}",
        "{one,two}/*",
        "**/two/**/*.png",
        "one/**/*/a.png",
        "a/**",
        "*/*.jpg",
        "**/a.*",
        "two/[[]b].png",
    ),
]


class Objects:
    """What is in a bucket, without one."""

    def below(self, folder, most):
        start = f"{folder.path}/" if folder.path else ""
        at = datetime(2026, 11, 28, tzinfo=UTC)
        return [Stored(each, 1, "1", at) for each in NAMES if each.startswith(start)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("objects")
    for each in NAMES:
        (made / each).parent.mkdir(parents=True, exist_ok=True)
        (made / each).write_bytes(b"x")
    return made


@pytest.mark.parametrize("pattern", OBJECT_PATTERNS)
def test_as_on_the_disk(folder, pattern):
    files = [str(Path(each)) for each in matching(pattern, folder)]
    found, others = matching_objects(f"s3://campaigns/{pattern}", Objects())
    assert [each.path for each in found] == sorted(files)
    if "**" not in pattern.rpartition("/")[2]:
        assert {each.path for each in others} == {str(Path(each)) for each in near(pattern, folder, files)}


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("s3://b-b/looks/*.png", "looks"),
        ("s3://b-b/looks/2024-*/x.png", "looks"),
        ("s3://b-b/*.png", ""),
        ("s3://b-b/a/{b,c}/d.png", "a"),
        ("s3://b-b/a/b.png", "a"),
        ("s3://b-b", ""),
    ],
)
def test_the_folder_that_is_listed(pattern, path):
    assert folder_of(pattern) == BucketAddress("s3", "b-b", path)


@pytest.mark.parametrize("pattern", ["s3://*", "s3://b*/x.png", "s3:///x/*", "s3://b-b/../*"])
def test_no_folder(pattern):
    with pytest.raises(UsageError):
        folder_of(pattern)


def test_a_folder_that_a_console_made_is_no_picture():
    class Marked(Objects):
        def below(self, folder, most):
            return [Stored("looks", 0, "1", datetime(2026, 1, 1, tzinfo=UTC)), *super().below(folder, most)]

    found, _ = matching_objects("s3://campaigns/looks/**", Marked())
    assert found == []


def test_too_many_words():
    with pytest.raises(TooManyEntriesError):
        matching_objects("s3://campaigns/" + "{a,b}" * 9, Objects())
