"""The Content Credentials (C2PA) that a clip came with. Most have none, and that is seen without any library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

from runner.model import Credentials
from runner.video.mp4_boxes import boxes

MP4 = "video/mp4"
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
# Nothing is asked of a network, and a certificate is trusted only where its root is given.
SETTINGS: Mapping[str, Any] = {"version": 1, "verify": {"ocsp_fetch": False, "remote_manifest_fetch": False}}
# A file in pieces has thousands of boxes; credentials stand before the first piece.
_MOST_BOXES = 100


def credentials_of(path: Path, anchors: str = "") -> Credentials:
    """What a clip says of its credentials. Never fails: what cannot be read is only not known.

    Without the extra `provenance` it is known only whether there are any. `anchors` are roots (PEM) to be trusted.
    """
    try:
        with path.open("rb") as file:
            if not any(box.id == _C2PA for box in islice(boxes(file), _MOST_BOXES)):
                return Credentials(present=False)
            file.seek(0)
            return _read(file, anchors)
    except Exception:  # noqa: BLE001 - whatever strangers put into a file, it must not cost a clip that was paid for
        return Credentials(present=False)


def _read(file: BinaryIO, anchors: str) -> Credentials:
    try:
        import c2pa
    except ImportError:
        return Credentials(present=True)
    try:
        settings = {**SETTINGS, **({"trust": {"trust_anchors": anchors}} if anchors else {})}
        context = c2pa.Context(settings=c2pa.Settings.from_dict(settings))
        with c2pa.Reader(MP4, file, context=context) as reader:
            state, document = reader.get_validation_state(), json.loads(reader.json())
        signature = document["manifests"].get(document.get("active_manifest"), {}).get("signature_info", {})
        return Credentials(
            True, str(state).lower() if state else None, signature.get("issuer"), next(_source_types(document), None)
        )
    except Exception:  # noqa: BLE001 - as above; assertions hold whatever their makers put there
        return Credentials(present=True, state="invalid")


def _source_types(document: Mapping[str, Any]) -> Iterator[str]:
    """What the actions of the manifests say, the active one first: it may only say that it opened another."""
    active = document.get("active_manifest")
    manifests = sorted(document["manifests"].items(), key=lambda each: each[0] != active)
    assertions = (each for _, manifest in manifests for each in manifest.get("assertions", ()))
    for assertion in assertions:
        if assertion["label"].startswith("c2pa.actions"):
            for action in assertion["data"].get("actions", ()):
                if "digitalSourceType" in action:
                    yield action["digitalSourceType"].rpartition("/")[2]
