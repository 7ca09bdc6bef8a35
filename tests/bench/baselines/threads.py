"""A script for one batch with requests and threads: submit, poll, download. It keeps no state."""

from __future__ import annotations

import argparse
import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

_OVER = ("failed", "cancelled")


class Script:
    """What all threads share; each has a session of its own."""

    def __init__(self, base: str, key: str, out: Path, poll: float) -> None:
        self._base = base
        self._key = key
        self._out = out
        self._poll = poll
        self._local = threading.local()

    def work(self, body: dict[str, Any]) -> None:
        """One job from its submission to its file."""
        answer = self._session.post(f"{self._base}/requests", json=body, timeout=60)
        answer.raise_for_status()
        request_id = answer.json()["request_id"]
        self._download(self._waited_for(request_id), self._out / f"{request_id}.mp4")

    @property
    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.headers["Authorization"] = f"Bearer {self._key}"
        session: requests.Session = self._local.session
        return session

    def _waited_for(self, request_id: str) -> str:
        while True:
            time.sleep(self._poll)
            answer = self._session.get(f"{self._base}/requests/{request_id}", timeout=60)
            answer.raise_for_status()
            request = answer.json()
            if request["status"] == "success":
                return str(request["outcome"]["video_url"])
            if request["status"] in _OVER:
                raise RuntimeError(f"{request_id} {request['status']}")

    def _download(self, url: str, path: Path) -> None:
        part = path.with_suffix(".part")
        with self._session.get(url, stream=True, timeout=60, headers={"Authorization": None}) as answer:
            answer.raise_for_status()
            with part.open("wb") as file:
                for block in answer.iter_content(1 << 16):
                    file.write(block)
        part.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("batch", type=Path, help="a JSON list of request bodies")
    parser.add_argument("out", type=Path)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--poll", type=float, default=1.0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    script = Script(options.base, os.environ["GMI_API_KEY"], options.out, options.poll)
    with ThreadPoolExecutor(options.threads) as pool:
        for done in pool.map(script.work, json.loads(options.batch.read_text(encoding="utf-8"))):
            assert done is None


if __name__ == "__main__":
    main()
