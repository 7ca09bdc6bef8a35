"""`python -m tests.browser`: the page in Chromium and Firefox on one core, as a table of figures."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from base64 import b64decode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from selenium.webdriver import Chrome

from tests.browser.chromium import chromium
from tests.browser.figures import Browser, Figure, frame_rate, in_step, stepping, usable
from tests.browser.firefox import PROGRAM, firefox
from tests.browser.sweeps import sweep, write_page

SIZE = (1280, 900)


class Chromium:
    """Chromium as the measures see a browser."""

    def __init__(self, driver: Chrome) -> None:
        self._driver = driver
        driver.set_script_timeout(120)
        screen = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        self.open = driver.get

    def run(self, body: str) -> object:
        return self._driver.execute_async_script(
            f"const done = arguments[0]; (async () => {{ {body} }})().then(done, (error) => done(String(error)))"
        )

    def screenshot(self) -> bytes:
        return b64decode(self._driver.get_screenshot_as_base64())


@contextmanager
def browsers(names: list[str], folder: Path) -> Iterator[dict[str, Browser]]:
    with ExitStack() as stack:
        found: dict[str, Browser] = {}
        for name in names:
            (folder / name).mkdir()
            if name == "chromium":
                found[name] = Chromium(stack.enter_context(chromium(folder / name)))
            elif PROGRAM:
                fox = stack.enter_context(firefox(folder / name))
                fox.resize(*SIZE)
                found[name] = fox
        yield found


def figures(browser: Browser, many: str, few: str) -> Iterator[Figure]:
    yield usable(browser, many)
    yield from in_step(browser, few)
    yield frame_rate(browser, few)
    yield from stepping(browser, few)


def page_of(folder: Path, count: int) -> str:
    folder.mkdir()
    return write_page(folder, sweep(folder, count, 9))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.browser", description="measures the page in real browsers")
    parser.add_argument("--only", choices=["chromium", "firefox"], action="append", help="this browser alone")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="reelrun-page-") as made:
        folder = Path(made)
        pages = [page_of(folder / str(count), count) for count in (1000, 192)]
        # The browser, its helpers and this program share one core.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        for name in options.only or ["chromium", "firefox"]:
            with browsers([name], folder) as found:
                for browser in found.values():
                    print(f"| {name}, one core | value | must be |\n|---|---|---|")
                    for figure in figures(browser, *pages):
                        print(f"| {figure.what} | {figure.value} | {figure.limit} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
