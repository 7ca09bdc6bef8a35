"""The manifests that are measured, and the same work as the baselines take it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.bench.clip import write_picture
from tests.bench.service import MODEL

IMAGE = "https://example.com/shoe.jpg"
PARAMS = {"negative_prompt": "blurry, distorted", "duration": "5", "cfg_scale": 0.5}
# 200 characters, six variables.
TEXT = (
    "A {{ product }} of the {{ season }} collection stands on {{ surface }} in {{ light }} while {{ event }};"
    " the camera makes a {{ camera }} and then rests; true colours, fine grain, no text in the view."
)
CONSTANTS = {"product": "trail shoe", "season": "spring"}
_AXES = ("surface", "light", "event", "camera")


def _written(folder: Path, document: dict[str, Any]) -> Path:
    """A manifest in a folder of its own. JSON is YAML."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "manifest.yaml"
    path.write_text(json.dumps({"version": 1, "name": "bench", "model": MODEL, **document}), encoding="utf-8")
    return path


def axes_of(*sizes: int) -> dict[str, list[str]]:
    """Four axes of these sizes."""
    return {name: [f"{name} number {n}" for n in range(size)] for name, size in zip(_AXES, sizes, strict=True)}


def sweep(folder: Path, axes: dict[str, list[str]]) -> Path:
    return _written(
        folder,
        {
            "images": [{"url": IMAGE, "id": "shoe"}],
            "prompts": [{"id": "plain", "text": TEXT}],
            "vars": CONSTANTS,
            "matrix": axes,
            "params": PARAMS,
            "budget": {"max_jobs": 2_000_000},
            "output": {"dir": "out"},
        },
    )


def bare_sweep(axes: dict[str, list[str]]) -> str:
    """The same sweep for the bare loop."""
    params = {**PARAMS, "image": IMAGE}
    return json.dumps({"axes": axes, "constants": CONSTANTS, "text": TEXT, "params": params, "model": MODEL})


def batch(folder: Path, jobs: int, file: str | None = None, **run: object) -> Path:
    """So many jobs that differ in one word; `file` is where their videos go, where that is not their key."""
    return _written(
        folder,
        {
            "images": [{"url": IMAGE, "id": "shoe"}],
            "prompts": [{"id": "plain", "text": "The shoe on wet rock, take {{ number }}, slow push-in"}],
            "matrix": {"number": list(range(jobs))},
            "params": PARAMS,
            "budget": {"max_jobs": jobs},
            "run": {"verify": "header", **run},
            "output": {"dir": "out", **({} if file is None else {"file": file})},
        },
    )


def bare_batch(folder: Path, jobs: int) -> Path:
    """The same requests for the scripts."""
    bodies = [
        {
            "model": MODEL,
            "payload": {**PARAMS, "image": IMAGE, "prompt": f"The shoe on wet rock, take {n}, slow push-in"},
        }
        for n in range(jobs)
    ]
    path = folder / "batch.json"
    path.write_text(json.dumps(bodies), encoding="utf-8")
    return path


def uploads(folder: Path, pictures: int, size: int) -> Path:
    """A job for each of so many pictures of so many bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(pictures):
        write_picture(folder / f"{number:03d}.jpg", size, number)
    return _written(
        folder,
        {
            "images": [{"glob": "*.jpg"}],
            "prompts": [{"id": "plain", "text": "A slow push-in"}],
            "params": PARAMS,
            "run": {"concurrency": pictures, "verify": "header"},
            "output": {"dir": "out"},
        },
    )


def stored(folder: Path, jobs: int, size: int) -> Path:
    """So many jobs with one picture of so many bytes, which is uploaded once."""
    folder.mkdir(parents=True, exist_ok=True)
    write_picture(folder / "picture.jpg", size, 1)
    return _written(
        folder,
        {
            "images": [{"file": "picture.jpg"}],
            "prompts": [{"id": "plain", "text": "A slow push-in, number {{ number }}"}],
            "matrix": {"number": list(range(jobs))},
            "params": PARAMS,
            "uploads": {"to": "service", "when": "always"},
            "run": {"concurrency": 64, "verify": "header"},
            "output": {"dir": "out"},
        },
    )


def entries(folder: Path, count: int) -> Path:
    """A manifest in block style that lists so many pictures one by one, each with variables."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "manifest.yaml"
    images = (
        f"  - url: https://example.com/catalogue/spring/{n:06d}.jpg\n    id: item-{n:06d}\n"
        f"    vars:\n      product: trail shoe number {n}\n      colour: 'shade {n % 97}'\n"
        f'      note: "worn in, for stony ground and rain"\n      sizes: [{n % 9 + 36}, {n % 9 + 44}]\n'
        for n in range(count)
    )
    head = f"version: 1\nname: bench\nmodel: {MODEL}\nbudget: {{max_jobs: {count}}}\n"
    tail = 'prompts:\n  - {id: plain, text: "{{ product }} in {{ colour }}"}\n'
    path.write_text(head + "images:\n" + "".join(images) + tail, encoding="utf-8")
    return path
