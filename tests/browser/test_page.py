"""The page in a real browser, opened from the disk."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait


def wait(browser: Chrome, script: str) -> object:
    """What the expression becomes as soon as it is true."""
    return WebDriverWait(browser, 10, poll_frequency=0.02).until(lambda _: browser.execute_script(f"return {script}"))


def find(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def frame(browser: Chrome, number: int) -> WebElement:
    return browser.find_elements(By.CSS_SELECTOR, ".frame")[number]


def chip(browser: Chrome, facet: str, label: str) -> WebElement:
    return browser.find_element(By.XPATH, f"//fieldset[legend[.='{facet}']]//button[bdi[.='{label}']]")


def shown(browser: Chrome) -> list[int]:
    cards = browser.find_elements(By.CSS_SELECTOR, ".card")
    return [number for number, card in enumerate(cards) if card.is_displayed()]


def counts(browser: Chrome, facet: str) -> list[str]:
    path = f"//fieldset[legend[.='{facet}']]//span[@class='count']"
    return [each.text for each in browser.find_elements(By.XPATH, path)]


def keys(browser: Chrome, *pressed: str) -> None:
    ActionChains(browser, duration=0).send_keys(*pressed).perform()


def hover(browser: Chrome, element: WebElement) -> None:
    ActionChains(browser, duration=0).move_to_element(element).perform()


def requested(browser: Chrome) -> Sequence[str]:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]


def test_a_chip_filters_by_its_variable(browser: Chrome) -> None:
    assert shown(browser) == [0, 1, 2, 3, 4, 5]
    assert find(browser, "#shown").text == "6 of 6 shown"
    wet = chip(browser, "surface", "wet rock")
    wet.click()
    assert shown(browser) == [0, 3]
    assert find(browser, "#shown").text == "2 of 6 shown"
    assert wet.get_attribute("aria-pressed") == "true"
    chip(browser, "surface", "snow").click()
    assert shown(browser) == [0, 2, 3]
    chip(browser, "image", "bag").click()
    assert shown(browser) == [3]
    wet.click()
    chip(browser, "surface", "snow").click()
    assert shown(browser) == [3, 4, 5]
    find(browser, "#clear").click()
    assert shown(browser) == [0, 1, 2, 3, 4, 5]


def test_chips_count_what_they_would_show(browser: Chrome) -> None:
    chip(browser, "image", "shoe").click()
    assert counts(browser, "surface") == ["1", "1", "1", "0"]
    assert counts(browser, "image") == ["3", "3"]
    chip(browser, "cfg", "0.7").click()
    assert counts(browser, "surface") == ["0", "1", "0", "0"]


def test_text_searches_everything_that_is_known(browser: Chrome) -> None:
    find(browser, "#text").send_keys("TRADEMARK snow")
    assert shown(browser) == [2]
    find(browser, "#text").clear()
    find(browser, "#text").send_keys("no such thing")
    assert shown(browser) == []
    assert find(browser, "#empty").is_displayed()
    find(browser, "#clear-empty").click()
    assert shown(browser) == [0, 1, 2, 3, 4, 5]


def test_the_address_keeps_the_filters(browser: Chrome) -> None:
    chip(browser, "surface", "wet rock").click()
    chip(browser, "cfg", "0.7").click()
    find(browser, "#text").send_keys("shoe")
    address = browser.current_url
    assert address.endswith("#variables.surface=wet%20rock&variables.cfg=0.7&text=shoe")
    browser.get("about:blank")
    browser.get(address)
    assert shown(browser) == [3]
    assert find(browser, "#text").get_attribute("value") == "shoe"
    assert chip(browser, "surface", "wet rock").get_attribute("aria-pressed") == "true"


def test_a_mangled_address_still_shows_the_page(browser: Chrome, page: str) -> None:
    for mangled in ("#", "#%", "#surface", "#variables.surface=lava&text=%E0%A4%A", "#job=none"):
        browser.get("about:blank")
        browser.get(page + mangled)
        assert find(browser, "#shown").text.endswith("of 6 shown")
    assert browser.get_log("browser") == []


def test_the_keyboard_opens_the_larger_view_and_closes_it(browser: Chrome) -> None:
    browser.execute_script("document.querySelector('.frame').focus()")
    keys(browser, Keys.ENTER)
    assert find(browser, "#view").is_displayed()
    assert find(browser, "#view-title").text == "shoe/plain/0"
    assert "The shoe on wet rock" in find(browser, "#view-body").text
    assert browser.current_url.endswith("#job=0000000000000000")
    keys(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert find(browser, "#view-title").text == "shoe/plain/2"
    assert "policy: a trademark" in find(browser, "#view-stage").text
    keys(browser, Keys.ARROW_LEFT)
    assert find(browser, "#view-place").text == "2 of 6"
    keys(browser, Keys.ESCAPE)
    # The browser tells of the closing a moment later.
    assert wait(browser, "!document.getElementById('view').open && !document.querySelector('#view video')")
    assert wait(browser, "location.hash === ''")
    assert browser.switch_to.active_element == frame(browser, 1)


def test_the_larger_view_steps_through_what_is_shown(browser: Chrome) -> None:
    chip(browser, "surface", "wet rock").click()
    frame(browser, 0).click()
    assert find(browser, "#view-place").text == "1 of 2"
    assert not find(browser, "#previous").is_enabled()
    find(browser, "#next").click()
    assert find(browser, "#view-title").text == "bag/plain/3"
    assert not find(browser, "#next").is_enabled()
    keys(browser, Keys.ARROW_LEFT)
    assert find(browser, "#view-title").text == "shoe/plain/0"


def test_a_link_opens_a_job(browser: Chrome, page: str) -> None:
    browser.get("about:blank")
    browser.get(page + "#job=0000000000000002")
    assert find(browser, "#view-title").text == "shoe/plain/2"


def test_arrow_keys_walk_over_the_sheet(browser: Chrome) -> None:
    browser.execute_script("document.querySelector('.frame').focus()")
    keys(browser, Keys.ARROW_RIGHT)
    assert browser.switch_to.active_element == frame(browser, 1)
    keys(browser, Keys.ARROW_LEFT, Keys.ARROW_DOWN)
    row = frame(browser, 0).location["y"]
    below = browser.switch_to.active_element.location
    assert below["x"] == frame(browser, 0).location["x"]
    assert below["y"] > row


def test_a_clip_plays_under_the_pointer(browser: Chrome) -> None:
    assert browser.find_elements(By.CSS_SELECTOR, ".clip") == []
    hover(browser, frame(browser, 1))
    assert wait(browser, "document.querySelector('.clip')?.currentTime > 0.05")
    wanted = ["muted", "loop", "playsInline"]
    assert all(
        browser.execute_script("return arguments[0].map((name) => document.querySelector('.clip')[name])", wanted)
    )
    hover(browser, frame(browser, 0))
    assert wait(browser, "document.querySelector('.card .clip')?.closest('.card').dataset.index === '0'")
    assert len(browser.find_elements(By.CSS_SELECTOR, ".clip")) == 1
    hover(browser, find(browser, "h1"))
    assert browser.find_elements(By.CSS_SELECTOR, ".clip") == []


def test_a_clip_plays_with_the_focus(browser: Chrome) -> None:
    browser.execute_script("document.querySelector('.frame').focus()")
    keys(browser, Keys.ARROW_RIGHT)
    assert wait(browser, "document.querySelector('.clip')?.currentTime > 0.05")


def test_the_larger_view_plays_the_clip(browser: Chrome) -> None:
    frame(browser, 0).click()
    assert wait(browser, "document.querySelector('#view video').currentTime > 0.05")
    find(browser, "#close").click()
    assert wait(browser, "!document.querySelector('#view video')")


def test_the_larger_view_shows_a_gif_and_links_what_is_not_played(chromium: Chrome, other_kinds: str) -> None:
    chromium.get(other_kinds)
    frame(chromium, 0).click()
    assert wait(chromium, "document.querySelector('#view-stage video').currentTime > 0.05")
    keys(chromium, Keys.ARROW_RIGHT)
    assert wait(chromium, "document.querySelector('#view-stage img')?.naturalWidth === 160")
    keys(chromium, Keys.ARROW_RIGHT)
    assert wait(chromium, "document.querySelector('#view-stage p a')?.href.endsWith('/videos/clip.avi')")
    assert "not played here" in find(chromium, "#view-stage").text.lower()


def test_reduced_motion_keeps_clips_still(browser: Chrome) -> None:
    reduce = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", reduce)
    try:
        hover(browser, frame(browser, 0))
        assert browser.find_elements(By.CSS_SELECTOR, ".clip") == []
        frame(browser, 0).click()
        assert browser.execute_script("return document.querySelector('#view video').autoplay") is False
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_pictures_load_and_a_missing_one_is_the_clips_first_frame(browser: Chrome) -> None:
    assert wait(browser, "[...document.images].every((image) => image.complete && image.naturalWidth === 160)")
    assert wait(browser, "document.querySelectorAll('.card')[3].querySelector('video')?.videoWidth === 160")


def test_what_has_no_clip_says_why(browser: Chrome) -> None:
    assert "policy: a trademark" in frame(browser, 2).text
    assert "Not submitted yet" in frame(browser, 4).text


def test_text_of_strangers_executes_nothing(browser: Chrome, hostile: str) -> None:
    title = browser.title
    assert find(browser, ".card:last-child .prompt").text == hostile
    browser.execute_script("document.querySelector('.card:last-child .frame').click()")
    assert hostile in find(browser, "#view-body").text
    chip_of_harm = browser.find_elements(By.CSS_SELECTOR, "fieldset .chip")[-3]
    browser.execute_script("document.getElementById('view').close(); arguments[0].click()", chip_of_harm)
    assert browser.title == title == "trail-shoes · 4 of 6 clips"
    scripts = "return [...document.scripts].map((script) => script.type)"
    assert browser.execute_script(scripts) == ["application/json", ""]
    assert (
        browser.execute_script("return document.querySelectorAll('.prompt *, .values svg, #view-body img').length") == 0
    )
    # Not even refused: nothing tried.
    assert browser.get_log("browser") == []


def test_the_policy_stops_what_would_get_through(browser: Chrome) -> None:
    browser.execute_script("document.body.insertAdjacentHTML('beforeend', '<img src=data:, onerror=document.title=1>')")
    assert WebDriverWait(browser, 10).until(lambda _: "Content Security Policy" in str(browser.get_log("browser")))
    assert browser.title == "trail-shoes · 4 of 6 clips"


def test_nothing_is_asked_of_the_network(browser: Chrome) -> None:
    for number in (0, 2, 5):
        browser.execute_script("document.querySelectorAll('.frame')[arguments[0]].click()", number)
    assert wait(browser, "document.querySelector('#view video').currentTime > 0.05")
    urls = requested(browser)
    assert any(url.endswith(".mp4") for url in urls)
    assert [url for url in urls if not url.startswith(("file:", "data:", "about:"))] == []


@pytest.mark.parametrize("width", [390, 768, 1600])
def test_nothing_is_wider_than_the_screen(browser: Chrome, width: int) -> None:
    screen = {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    try:
        assert (
            browser.execute_script("return document.documentElement.scrollWidth - document.documentElement.clientWidth")
            == 0
        )
        folded = find(browser, "#fold").is_displayed()
        assert folded is (width < 960)
        assert find(browser, "#panel").is_displayed() is not folded
        frame(browser, 0).click()
        box = find(browser, "#view").rect
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_tap_plays_and_the_next_opens(browser: Chrome) -> None:
    browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        place = browser.execute_script(
            "const box = document.querySelector('.frame').getBoundingClientRect(); return [box.x + 40, box.y + 60]"
        )
        tap(browser, *place)
        assert wait(browser, "document.querySelector('.clip')?.currentTime > 0.05")
        assert not find(browser, "#view").is_displayed()
        tap(browser, *place)
        assert wait(browser, "document.getElementById('view').open")
    finally:
        browser.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def tap(browser: Chrome, x: float, y: float) -> None:
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


CONTRAST = """
const channel = (value) => (value /= 255) <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
const ground = (element) => {
  for (let each = element; each; each = each.parentElement) {
    const colour = numbers(getComputedStyle(each).backgroundColor);
    if (colour.length < 4 || colour[3] > 0) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.checkVisibility() || element.matches("script, :disabled, :disabled *")) continue;
  const pair = [light(numbers(getComputedStyle(element).color)), light(ground(element))].sort((a, b) => b - a);
  const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
  if (ratio < 4.5) poor.push([element.tagName, element.className, ratio]);
}
return poor;
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_at_least_that_of_wcag_aa(browser: Chrome, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        chip(browser, "image", "shoe").click()
        assert browser.execute_script(CONTRAST) == []
        frame(browser, 2).click()
        assert browser.execute_script(CONTRAST) == []
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
