"""Pictures that are sent again: the same bytes, read and encoded once, and never those of another file."""

import base64
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from runner.api import body as body_module
from runner.api.body import BLOCK, Body, PictureChangedError, base64_length
from runner.api.pictures import Pictures
from runner.model import Image, Origin


@pytest.fixture
def reads(monkeypatch):
    """The pictures that were read, in their order."""
    seen = []
    original = body_module.Body.picture

    def picture(self):
        seen.append(self.image.id)
        return original(self)

    monkeypatch.setattr(body_module.Body, "picture", picture)
    return seen


def of(path, number=1, size=3 * BLOCK + 5):
    """A body with a picture of so many bytes, other ones for each number."""
    content = bytes([number]) + bytes(each % 251 for each in range(size - 1))
    path.write_bytes(content)
    reference = f"sha256:{hashlib.sha256(content).hexdigest()}"
    image = Image(path.stem, Origin.FILE, str(path), reference, {}, (), size)
    return Body("m", {"image": reference, "prompt": "p"}, image)


def sent(pictures, body):
    blocks = list(pictures.stream(body))
    assert max(map(len, blocks)) <= base64_length(BLOCK)
    return b"".join(blocks)


def test_a_picture_is_read_for_its_first_two_uploads_and_the_bytes_are_always_those_of_the_body(tmp_path, reads):
    body, pictures = of(tmp_path / "a.jpg"), Pictures()
    whole = b"".join(body)
    reads.clear()
    assert [sent(pictures, body) for _ in range(5)] == [whole] * 5
    assert reads == ["a", "a"], "once streamed, once encoded"


def test_a_url_is_no_picture_to_read(reads):
    url = "https://example.com/a.jpg"
    body, pictures = Body("m", {"image": url}, Image("u", Origin.URL, url, url, {}, ())), Pictures()
    assert [b"".join(pictures.stream(body)) for _ in range(3)] == [b"".join(body)] * 3
    assert reads == []


def test_an_inline_picture_is_decoded_no_more_than_twice(reads):
    content = b"\xff\xd8" + bytes(5000)
    reference = f"sha256:{hashlib.sha256(content).hexdigest()}"
    image = Image("dot", Origin.INLINE, base64.b64encode(content).decode(), reference, {}, (), len(content))
    body, pictures = Body("m", {"image": reference}, image), Pictures()
    assert len({sent(pictures, body) for _ in range(4)}) == 1
    assert len(reads) == 2


@pytest.mark.parametrize("uploads", [1, 2, 3])
def test_a_picture_that_changed_is_never_sent_from_memory(tmp_path, uploads):
    body, pictures = of(tmp_path / "a.jpg"), Pictures()
    for _ in range(uploads):
        sent(pictures, body)
    before = (tmp_path / "a.jpg").stat()
    with (tmp_path / "a.jpg").open("r+b") as file:
        file.seek(BLOCK)
        file.write(b"different")
    # Not even where size and time of writing are put back: the time of the change itself cannot be.
    os.utime(tmp_path / "a.jpg", ns=(before.st_atime_ns, before.st_mtime_ns))
    blocks = []
    with pytest.raises(PictureChangedError):
        blocks.extend(pictures.stream(body))
    assert sum(map(len, blocks)) < len(body) - len(b'"}}')


def test_a_picture_that_is_gone_is_told(tmp_path):
    body, pictures = of(tmp_path / "a.jpg"), Pictures()
    for _ in range(3):
        sent(pictures, body)
    (tmp_path / "a.jpg").unlink()
    for _ in range(2):
        with pytest.raises(PictureChangedError, match="cannot be read"):
            list(pictures.stream(body))


def test_a_picture_that_was_written_anew_with_the_same_bytes_is_sent(tmp_path, reads):
    body, pictures = of(tmp_path / "a.jpg"), Pictures()
    whole = [sent(pictures, body) for _ in range(3)]
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes())
    (tmp_path / "b.jpg").replace(tmp_path / "a.jpg")
    assert [sent(pictures, body) for _ in range(3)] == whole
    assert len(reads) == 3


def test_what_is_kept_is_bounded_and_the_last_ones_stay(tmp_path, reads):
    bodies = {number: of(tmp_path / f"{number}.jpg", number, 3000) for number in range(1, 5)}
    pictures = Pictures(most_bytes=3 * base64_length(3000))
    for number in (1, 2, 3, 4, 1, 2, 3, 4):
        sent(pictures, bodies[number])
    assert sum(len(each.encoded) for each in pictures._kept.values() if each) == 3 * base64_length(3000)
    reads.clear()
    for number in (2, 3, 4, 1):
        sent(pictures, bodies[number])
    assert reads == ["1"]


def test_a_picture_that_does_not_fit_is_streamed_each_time(tmp_path, reads):
    body = of(tmp_path / "a.jpg", size=3001)
    pictures = Pictures(most_bytes=base64_length(3001) - 1)
    for _ in range(3):
        sent(pictures, body)
    assert len(reads) == 3
    assert not any(pictures._kept.values())


def test_uploads_at_once_share_one_encoding(tmp_path, reads):
    body, pictures = of(tmp_path / "a.jpg"), Pictures()
    with ThreadPoolExecutor(8) as pool:
        results = set(pool.map(lambda _: sent(pictures, body), range(40)))
    assert results == {b"".join(body)}
    assert len(reads) == 2 + 1, "the last one is the test's own"
