"""What the tests of the sandbox share: schemas, pictures, a running sandbox and a client of it."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from jsonschema import Draft202012Validator
from PIL import Image, ImageDraw
from starlette.exceptions import HTTPException

from runner.sandbox.server import Sandbox, SandboxSettings

MODEL = "Kling-Image2Video-V1.6-Standard"
SIBLINGS = (MODEL, "Kling-Image2Video-V1.6-Pro", "Kling-Image2Video-V2-Master")
MOST_BYTES = 10 * 1024 * 1024
SCHEMA: dict[str, object] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Kling image to video",
    "description": "A picture and a prompt make a video.",
    "type": "object",
    "additionalProperties": False,
    "required": ["image"],
    "properties": {
        "image": {
            "type": "string",
            "x-image": {
                "maxBytes": MOST_BYTES,
                "minSide": 300,
                "aspectRatio": [0.4, 2.5],
                "formats": ["JPEG", "PNG"],
            },
        },
        "prompt": {"type": "string", "maxLength": 2500, "default": ""},
        "negative_prompt": {"type": "string", "maxLength": 2500, "default": ""},
        "duration": {"type": "string", "enum": ["5", "10"], "default": "5"},
        "cfg_scale": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
    },
}
FINAL = ("success", "failed", "cancelled")
_PATIENCE = 60.0  # seconds; a stuck sandbox should fail a test and not hang it


def shipped_schema(name: str) -> dict[str, Any]:  # JSON
    """The schema of a model as the project ships it."""
    path = Path(__file__).parent.parent / "schemas" / "models" / f"{name}.schema.json"
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema


def write_schemas(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in SIBLINGS:
        (folder / f"{name}.schema.json").write_text(json.dumps(SCHEMA))
    return folder


@cache
def scene(width: int = 480, height: int = 320) -> Image.Image:
    """A picture with gradients, edges and detail."""
    across = Image.linear_gradient("L").rotate(90).resize((width, height))
    down = Image.linear_gradient("L").resize((width, height))
    picture = Image.merge("RGB", (across, down, Image.radial_gradient("L").resize((width, height))))
    draw = ImageDraw.Draw(picture)
    for step in range(0, width, 16):
        draw.line((step, 0, width - step, height), fill=(step % 256, 90, 160))
    draw.ellipse((width // 4, height // 4, width // 2, height // 2), fill=(230, 60, 40))
    return picture


def encoded(picture: Image.Image, format_name: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format_name)
    return buffer.getvalue()


@cache
def picture_bytes(width: int = 480, height: int = 320, format_name: str = "JPEG") -> bytes:
    return encoded(scene(width, height), format_name)


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def payload(**more: object) -> dict[str, object]:
    """A payload that is accepted."""
    return {"image": in_base64(picture_bytes()), "prompt": "slow push-in", **more}


@dataclass(frozen=True, slots=True)
class Client:
    """Calls to one sandbox; `verify` is the certificate to trust."""

    base_url: str
    verify: str | bool = True
    session: requests.Session = field(default_factory=requests.Session)

    def get(self, path: str, **more: object) -> requests.Response:
        url = path if path.startswith("http") else self.base_url + path
        return self.session.get(url, timeout=30, verify=self.verify, **more)  # type: ignore[arg-type]

    def post(self, document: object) -> requests.Response:
        return self.session.post(f"{self.base_url}/requests", json=document, timeout=30, verify=self.verify)

    def submit(self, model: str = MODEL, **more: object) -> str:
        answer = self.post({"model": model, "payload": payload(**more)})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["request_id"])

    def detail(self, request_id: str) -> dict[str, object]:
        found: dict[str, object] = self.get(f"/requests/{request_id}").json()
        return found

    def until(self, request_id: str, *statuses: str) -> dict[str, object]:
        """Ask again and again until the request has one of the statuses."""
        end = time.monotonic() + _PATIENCE
        while (found := self.detail(request_id))["status"] not in statuses:
            assert time.monotonic() < end, f"still {found['status']}"
            time.sleep(0.02)
        return found

    def finished(self, request_id: str) -> dict[str, object]:
        return self.until(request_id, *FINAL)


def settings(folder: Path, **more: object) -> SandboxSettings:
    """Settings of a fast sandbox with small clips."""
    schemas = write_schemas(folder / "schemas")
    fast = {
        "directory": folder / "sandbox",
        "schemas": schemas,
        "seconds": 0.0,
        "queue_seconds": 0.0,
        "clip_height": 64,
    }
    return SandboxSettings(**{**fast, **more})  # type: ignore[arg-type]


@contextmanager
def running(folder: Path, **more: object) -> Iterator[Client]:
    with Sandbox(settings(folder, **more)) as sandbox:
        client = Client(sandbox.base_url)
        with client.session:
            yield client


def refused(action: Callable[[], object]) -> HTTPException | None:
    """How an action is refused, if it is; any other error goes through."""
    try:
        action()
    except HTTPException as error:
        return error
    return None


def video_url(outcome: object) -> str:
    """The link in an outcome of either shape."""
    assert isinstance(outcome, dict)
    link = outcome["video_url"] if "video_url" in outcome else outcome["media_urls"][0]["url"]
    return str(link)


def test_the_shared_payload_is_right_by_the_shared_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert not list(Draft202012Validator(SCHEMA).iter_errors(payload()))


@pytest.mark.parametrize("name", SIBLINGS)
def test_the_shipped_schemas_have_the_same_constraints(name: str) -> None:
    shipped = shipped_schema(name)
    assert shipped["required"] == SCHEMA["required"]
    assert shipped["additionalProperties"] is False
    keywords = ("type", "maxLength", "enum", "minimum", "maximum", "default", "x-image")
    ours = SCHEMA["properties"]
    assert isinstance(ours, dict)
    assert {key: {word: rules[word] for word in keywords if word in rules} for key, rules in ours.items()} == {
        key: {word: rules[word] for word in keywords if word in rules} for key, rules in shipped["properties"].items()
    }
