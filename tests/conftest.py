"""Settings of the whole suite."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, settings

from runner.cli import main as command_line
from runner.sandbox.film import clip
from tests.kit import WHOLE_FILMS, cheapen_digests, shorten_films

# Machines differ in speed: a slow example is no failure. Seeds of failures are printed.
settings.register_profile(
    "default", max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("long", parent=settings.get_profile("default"), max_examples=10_000)
_MANY_FILES = 200
settings.load_profile(os.environ.get("REELRUN_PROFILE", "default"))
cheapen_digests()
shorten_films()
# To make the parser of all commands takes as long as to validate a small manifest, and hundreds of tests call commands.
command_line.parser = cache(command_line.parser)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test talks to the real service, whatever the environment holds."""
    for name in ("GMI_API_KEY", "GMI_BASE_URL", "GMI_ORG_ID"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def whole_films(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clips of the sandbox as they ship."""
    for (owner, name), value in WHOLE_FILMS.items():
        monkeypatch.setattr(owner, name, value)
    # The tone is made once, of so many samples.
    clip._samples.cache_clear()
    yield
    clip._samples.cache_clear()


def pytest_collection_finish() -> None:
    """What was collected stays until the end: later collections need not look through it each time."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown() -> None:
    """Collect what runs leave in cycles: a command collects rarely, and sockets would pile up from test to test."""
    if len(os.listdir("/proc/self/fd")) > _MANY_FILES:
        gc.collect()


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("REELRUN_NO_SKIPS") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
