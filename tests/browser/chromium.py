"""A headless Chromium with a driver."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
_FLAGS = (
    "headless no-sandbox disable-gpu disable-quic no-first-run disable-background-networking disable-component-update "
    "disable-sync window-size=1280,900"
)


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """Chromium with a fresh profile, which also tells what it requests and what it warns of."""
    # Half a second, which other tests need not wait for.
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = str(BROWSER)
    for flag in _FLAGS.split():
        options.add_argument(f"--{flag}")
    options.add_argument(f"--user-data-dir={profile}")
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = Chrome(options, ChromeService(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()
