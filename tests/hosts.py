"""File hosts for the tests of downloads, and fetches from them."""

import re

from runner.api.linked_files import LinkedFiles
from runner.engine.downloads.artifacts import Order, accept, arrive
from runner.engine.downloads.transfer import FetchError, Stop
from tests import wire
from tests.kit import video_bytes

VIDEO = video_bytes(5.0)
HALF = len(VIDEO) // 2


def reply(content=VIDEO, *, status=200, length=None, **headers):
    """An HTTP answer; headers are named with underscores."""
    lines = {"Content_Type": "video/mp4", "Content_Length": len(content) if length is None else length, **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in lines.items() if value != "none")
    return f"HTTP/1.1 {status} Word\r\n{head}\r\n".encode() + content


def rest(start=HALF, content=VIDEO, **headers):
    """The answer to a Range."""
    told = {"Content_Range": f"bytes {start}-{len(VIDEO) - 1}/{len(VIDEO)}", "ETag": '"v1"', **headers}
    return reply(content[start:], status=206, **told)


class Host:
    """A file host that gives one answer after the other, each on a connection of its own."""

    def __init__(self, *replies, thumbnail=None):
        self.replies, self.thumbnail, self.heads = list(replies), thumbnail, []

    def __call__(self, peer):
        head = peer.head()
        if b"/t.jpg" in head:
            peer.send(self.thumbnail)
            return
        self.heads.append(head)
        given = self.replies.pop(0)
        given(peer) if callable(given) else peer.send(given)

    def asked_range(self, number=-1):
        found = re.search(rb"\r\nRange: ([^\r]*)\r\n", self.heads[number])
        return found[1].decode() if found else None


def order(host, folder, **changes):
    values = {
        "request_id": "r-1",
        "video_url": f"{host.url}/v.mp4",
        "thumbnail_url": None,
        "output_dir": folder,
        "path": "shoe/take-1",
        "seconds": 5.0,
        "decode": True,
        **changes,
    }
    return Order(**values)


def fetch(files, order, stop):
    return accept(files, order, arrive(files, order, stop), stop)


def get(host, folder, stop=None, **changes):
    return fetch(LinkedFiles(True), order(host, folder, **changes), stop or Stop())


def get_all(folder, *replies, thumbnail=None, **changes):
    """One fetch after the other until one succeeds or the answers are used up; the host, and what was fetched."""
    served = Host(*replies, thumbnail=thumbnail)
    troubles = []
    with wire.listening(served) as host:
        while served.replies:
            try:
                return served, get(host, folder, **changes), troubles
            except FetchError as error:
                troubles.append(error)
    return served, None, troubles


def video_of(folder, path="shoe/take-1"):
    return folder / "videos" / f"{path}.mp4"


def leftovers(folder):
    return sorted(each.name for each in folder.rglob("*") if each.is_file() and each.suffix not in (".mp4", ".jpg"))
