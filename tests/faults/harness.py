"""Runs a manifest against the faulty service inside this process."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runner import campaign
from runner.api.service import Connection, Service
from runner.campaign import Result
from runner.manifest.reader import load
from runner.planning.selection import Selection
from tests.faults.service import FaultyService


def connection(service: FaultyService, *, key: str | None = "sk-test-key", patience: float = 1.0) -> Connection:
    """A connection with short time-outs, in seconds."""
    return Connection.to(Service(service.base_url, key, connect_timeout=patience, read_timeout=patience))


def run(path: Path, service: FaultyService, selection: Selection | None = None, **changes: object) -> Result:
    """One run of a manifest; `changes` go to its run settings."""
    manifest = load(path)
    manifest = replace(manifest, run=replace(manifest.run, **changes))  # type: ignore[arg-type]
    return campaign.run(manifest, connection(service), selection or Selection(), confirm=lambda plan: True)
