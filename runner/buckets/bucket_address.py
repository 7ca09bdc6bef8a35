"""Addresses in buckets, such as `s3://campaigns/spring/shoe.jpg`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from runner.errors import UsageError

SCHEMES = ("s3", "gs", "az")
_WRITTEN = re.compile(r"(s3|gs|az)://", re.IGNORECASE)
_BUCKET = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")
# Stores keep any other text; these lead astray wherever a path is put together or shown.
_UNFIT = re.compile(r"[\x00-\x1f\x7f\\]|(?:^|/)\.{0,2}(?:/|$)")
_ENVIRONMENT = "credentials stand in the environment, as the provider's tools take them: AWS_ACCESS_KEY_ID and the like"
# Of the name of an object, in bytes (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
LONGEST = 1024


def is_bucket_address(text: str) -> bool:
    """Whether a text means a place in a bucket, well written or not."""
    return _WRITTEN.match(text) is not None


@dataclass(frozen=True, slots=True)
class BucketAddress:
    """A place in a bucket: an object, or a prefix that objects have in common. `path` has no slash at its ends."""

    scheme: str
    bucket: str
    path: str

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises UsageError with what is wrong with the text."""
        scheme, _, rest = text.partition("://")
        bucket, _, path = rest.partition("/")
        path = path.removesuffix("/")
        if scheme not in SCHEMES:
            raise UsageError(f"{text!r} is no address in a bucket", "write s3://BUCKET/PATH, gs://... or az://...")
        if "@" in bucket or ":" in bucket:
            # The text is not repeated: what stands there may be a secret.
            raise UsageError("an address in a bucket has no user or password in it", _ENVIRONMENT)
        if not _BUCKET.fullmatch(bucket):
            hint = "small letters, digits, dots and hyphens: s3://BUCKET/PATH"
            raise UsageError(f"{text!r} names no bucket", hint)
        if path and (_UNFIT.search(path) or len(path.encode(errors="replace")) > LONGEST):
            hint = "no empty part, '.', '..', backslash or control character, and at most 1,024 bytes"
            raise UsageError(f"{text!r} has a path that leads astray", hint)
        return cls(scheme, bucket, path)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def root(self) -> Self:
        """The bucket as a whole."""
        return type(self)(self.scheme, self.bucket, "")

    @property
    def parent(self) -> Self:
        """The folder that it lies in."""
        return type(self)(self.scheme, self.bucket, self.path.rpartition("/")[0])

    def below(self, path: str) -> Self:
        """What has this path below this place."""
        return type(self)(self.scheme, self.bucket, f"{self.path}/{path}" if self.path else path)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.path}".removesuffix("/")
