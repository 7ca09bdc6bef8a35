"""A bucket in memory, of the library that reaches the real ones: conditions hold in it as they do there."""

from obstore.store import MemoryStore

from runner.buckets.bucket import Bucket
from runner.buckets.bucket_address import BucketAddress


def memory_bucket() -> Bucket:
    return Bucket(BucketAddress.of("s3://memory/state"), MemoryStore())  # type: ignore[arg-type]
