import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.buckets.bucket_address import BucketAddress, is_bucket_address
from runner.errors import UsageError


@pytest.mark.parametrize(
    "text", ["s3://campaigns", "s3://campaigns/a/b c.jpg", "gs://some.bucket/ü", "az://pictures/x"]
)
def test_an_address_reads_and_writes_itself(text):
    assert is_bucket_address(text)
    assert str(BucketAddress.of(text)) == text


def test_a_slash_at_the_end_says_nothing():
    assert BucketAddress.of("s3://campaigns/spring/") == BucketAddress.of("s3://campaigns/spring")
    assert BucketAddress.of("s3://campaigns/") == BucketAddress("s3", "campaigns", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("S3://campaigns/x", "no address in a bucket"),
        ("s3://", "names no bucket"),
        ("s3://Campaigns/x", "names no bucket"),
        ("s3://key:secret@campaigns/x", "no user or password"),
        ("s3://key:sec/ret@campaigns/x", "no user or password"),
        ("s3://campaigns/a/../b", "leads astray"),
        ("s3://campaigns//b", "leads astray"),
        ("s3://campaigns/a\nb", "leads astray"),
        ("s3://campaigns/" + "x" * 1025, "leads astray"),
    ],
)
def test_what_is_wrong_is_said(text, said):
    with pytest.raises(UsageError, match=said):
        BucketAddress.of(text)


@pytest.mark.parametrize("text", ["pictures/s3.jpg", "https://s3.example.com/x", "", "ftp://x"])
def test_other_texts_are_none(text):
    assert not is_bucket_address(text)


@given(st.text(alphabet="ab-é ", min_size=1, max_size=5), st.text(alphabet="ab-é ", min_size=1, max_size=5))
def test_below_is_below(one, other):
    folder = BucketAddress.of("s3://campaigns").below(one)
    assert folder.below(other).path == f"{one}/{other}"
    assert folder.below(other).name == other
    assert folder.root.path == ""
