"""Credentials of clips as they are delivered: seen at verification, in a moment, and never a reason to fail."""

from __future__ import annotations

import sys

import pytest

from runner.model import Credentials
from runner.review.publishing.marks.certificates import trial_certificate
from runner.review.publishing.marks.signing import SignedClaim, sign
from runner.video.credentials import credentials_of
from tests.delivered import clip_bytes
from tests.hosts import get_all, reply


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("signed")
    (folder / "clip.mp4").write_bytes(clip_bytes(1))
    claim = SignedClaim("a clip", "model", "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia", {})
    sign(folder / "clip.mp4", folder / "signed.mp4", claim, trial_certificate(folder), folder / "clip.mp4")
    return folder / "signed.mp4"


def test_what_a_clip_came_with_is_known_when_it_is_verified(tmp_path, signed):
    _, fetched, _ = get_all(tmp_path / "signed", reply(signed.read_bytes()), seconds=1.0)
    assert fetched.credentials == Credentials(True, "valid", "reelrun trial", "trainedAlgorithmicMedia")
    _, fetched, _ = get_all(tmp_path / "plain", reply())
    assert fetched.credentials == Credentials(present=False)


def test_without_the_extra_it_is_known_whether_there_are_any(signed, monkeypatch):
    monkeypatch.setitem(sys.modules, "c2pa", None)
    assert credentials_of(signed) == Credentials(present=True)


def test_damaged_credentials_are_told_and_fail_nothing(tmp_path, signed):
    content = bytearray(signed.read_bytes())
    start = content.index(b"jumb")
    content[start + 40 : start + 400] = bytes(360)
    (tmp_path / "damaged.mp4").write_bytes(content)
    assert credentials_of(tmp_path / "damaged.mp4") == Credentials(True, "invalid")
    for other in (b"", b"x" * 100, content[:300]):
        (tmp_path / "other.mp4").write_bytes(other)
        assert not credentials_of(tmp_path / "other.mp4").present
    assert not credentials_of(tmp_path / "none.mp4").present
