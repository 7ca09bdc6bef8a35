"""A script for one batch with asyncio and aiohttp: so many jobs in flight, polled at a fixed interval. It keeps no
state."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
from pathlib import Path
from typing import Any

import aiohttp

_OVER = ("failed", "cancelled")


async def work(
    session: aiohttp.ClientSession, base: str, headers: dict[str, str], body: dict[str, Any], out: Path, poll: float
) -> None:
    """One job from its submission to its file."""
    async with session.post(f"{base}/requests", json=body, headers=headers) as answer:
        answer.raise_for_status()
        request_id = (await answer.json())["request_id"]
    while True:
        await asyncio.sleep(poll)
        async with session.get(f"{base}/requests/{request_id}", headers=headers) as answer:
            answer.raise_for_status()
            request = await answer.json()
        if request["status"] == "success":
            break
        if request["status"] in _OVER:
            raise RuntimeError(f"{request_id} {request['status']}")
    part = out / f"{request_id}.part"
    async with session.get(request["outcome"]["video_url"]) as answer:
        answer.raise_for_status()
        with part.open("wb") as file:
            async for block in answer.content.iter_chunked(1 << 16):
                file.write(block)
    part.rename(out / f"{request_id}.mp4")


async def run(options: argparse.Namespace) -> None:
    headers = {"Authorization": f"Bearer {os.environ['GMI_API_KEY']}"}
    room = asyncio.Semaphore(options.in_flight)
    async with aiohttp.ClientSession() as session:

        async def bounded(body: dict[str, Any]) -> None:
            async with room:
                await work(session, options.base, headers, body, options.out, options.poll)

        await asyncio.gather(*map(bounded, json.loads(options.batch.read_text(encoding="utf-8"))))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("batch", type=Path, help="a JSON list of request bodies")
    parser.add_argument("out", type=Path)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--poll", type=float, default=1.0)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    asyncio.run(run(options))


if __name__ == "__main__":
    main()
