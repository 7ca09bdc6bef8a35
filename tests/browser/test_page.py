"""The page in a real browser, opened from the disk."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from tests.browser.sweeps import number_in
from tests.command import call
from tests.delivered import clip_bytes, deliver, mark
from tests.kit import write_manifest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement


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
    """The numbers of the jobs that are in front, in the order of the page."""
    ids = "return [...document.querySelectorAll('.cell[data-id]')].map((cell) => parseInt(cell.dataset.id, 16))"
    return browser.execute_script(ids)


def counts(browser: Chrome, facet: str) -> list[str]:
    path = f"//fieldset[legend[.='{facet}']]//span[@class='count']"
    return [each.text for each in browser.find_elements(By.XPATH, path)]


def keys(browser: Chrome, *pressed: str) -> None:
    ActionChains(browser, duration=0).send_keys(*pressed).perform()


def shifted(browser: Chrome, *pressed: str) -> None:
    ActionChains(browser, duration=0).key_down(Keys.SHIFT).send_keys(*pressed).key_up(Keys.SHIFT).perform()


def hover(browser: Chrome, element: WebElement) -> None:
    ActionChains(browser, duration=0).move_to_element(element).perform()


def select(browser: Chrome, name: str, label: str) -> None:
    Select(find(browser, f"#{name}")).select_by_visible_text(label)


def heads(browser: Chrome, kind: str) -> list[str]:
    return [each.text for each in browser.find_elements(By.CSS_SELECTOR, f".{kind}")]


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
    assert address.endswith("#variables.surface=wet%20rock&variables.cfg=0.7&text=shoe&rows=none&columns=none")
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
    assert browser.current_url.endswith("&job=0000000000000000")
    shifted(browser, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert find(browser, "#view-title").text == "shoe/plain/2"
    assert "policy: a trademark" in find(browser, "#view-stage").text
    shifted(browser, Keys.ARROW_LEFT)
    assert find(browser, "#view-place").text == "2 of 6"
    keys(browser, Keys.ESCAPE)
    # The browser tells of the closing a moment later.
    assert wait(browser, "!document.getElementById('view').open && !document.querySelector('#view video')")
    assert wait(browser, "location.hash === '#rows=none&columns=none'")
    assert browser.switch_to.active_element == frame(browser, 1)


def test_the_larger_view_steps_through_what_is_shown(browser: Chrome) -> None:
    chip(browser, "surface", "wet rock").click()
    frame(browser, 0).click()
    assert find(browser, "#view-place").text == "1 of 2"
    assert not find(browser, "#previous").is_enabled()
    find(browser, "#next").click()
    assert find(browser, "#view-title").text == "bag/plain/3"
    assert not find(browser, "#next").is_enabled()
    shifted(browser, Keys.ARROW_LEFT)
    assert find(browser, "#view-title").text == "shoe/plain/0"


def test_a_link_opens_a_job(browser: Chrome, page: str) -> None:
    browser.get("about:blank")
    browser.get(page + "#job=0000000000000002")
    assert find(browser, "#view-title").text == "shoe/plain/2"


def test_the_larger_view_plays_the_clip(browser: Chrome) -> None:
    frame(browser, 0).click()
    assert wait(browser, "document.querySelector('#view video').currentTime > 0.05")
    find(browser, "#close").click()
    assert wait(browser, "!document.querySelector('#view video')")


def test_the_larger_view_shows_a_gif_and_links_what_is_not_played(chromium: Chrome, other_kinds: str) -> None:
    chromium.get(other_kinds)
    frame(chromium, 0).click()
    assert wait(chromium, "document.querySelector('#view-stage video').currentTime > 0.05")
    find(chromium, "#next").click()
    assert wait(chromium, "document.querySelector('#view-stage img')?.naturalWidth === 160")
    find(chromium, "#next").click()
    assert wait(chromium, "document.querySelector('#view-stage p a')?.href.endsWith('/videos/clip.avi')")
    assert "not played here" in find(chromium, "#view-stage").text.lower()


def test_reduced_motion_keeps_clips_still(wall: Chrome) -> None:
    reduce = {"features": [{"name": "prefers-reduced-motion", "value": "reduce"}]}
    wall.execute_cdp_cmd("Emulation.setEmulatedMedia", reduce)
    try:
        hover(wall, frame(wall, 0))
        assert wall.find_elements(By.CSS_SELECTOR, ".sprite, .clip") == []
        frame(wall, 0).click()
        assert wall.execute_script("return document.querySelector('#view video').paused")
        # Who asks for it sees it move.
        find(wall, "#play").click()
        assert wait(wall, "document.querySelector('#view video').currentTime > 0.05")
    finally:
        wall.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_pictures_load_and_a_missing_one_is_the_clips_first_frame(browser: Chrome) -> None:
    assert wait(browser, "[...document.images].every((image) => image.complete && image.naturalWidth === 160)")
    assert wait(browser, "document.querySelector('.cell[data-id$=\"3\"] video.still').videoWidth === 160")


def test_text_of_strangers_executes_nothing(browser: Chrome, hostile: str) -> None:
    title = browser.title
    (last,) = browser.find_elements(By.CSS_SELECTOR, '.cell[data-id="0000000000000005"]')
    assert browser.execute_script("return arguments[0].querySelector('.prompt').textContent", last) == hostile
    browser.execute_script("arguments[0].querySelector('.frame').click()", last)
    assert hostile in find(browser, "#view-body").text
    chip_of_harm = browser.find_elements(By.CSS_SELECTOR, "fieldset .chip")[-3]
    browser.execute_script("document.getElementById('view').close(); arguments[0].click()", chip_of_harm)
    assert browser.title == title == "trail-shoes · 4 of 6 clips"
    scripts = "return [...document.scripts].map((script) => script.type)"
    assert browser.execute_script(scripts) == ["application/json", ""]
    assert (
        browser.execute_script("return document.querySelectorAll('.prompt *, .values *, #view-body img').length") == 0
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
        # The browser tells of the new width a moment later.
        assert wait(browser, f"document.getElementById('panel').hidden === {str(folded).lower()}")
        frame(browser, 0).click()
        box = find(browser, "#view").rect
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_a_tap_opens_the_clip_and_buttons_do_the_rest(wall: Chrome) -> None:
    wall.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
    try:
        tap(wall, find(wall, ".cell .on"))
        assert find(wall, ".cell .place").text == "2/12"
        tap(wall, find(wall, ".cell .frame"))
        assert wait(wall, "document.getElementById('view').open")
        assert wait(wall, "document.querySelector('#view video').currentTime > 0.05")
        tap(wall, find(wall, "#on"))
        assert wait(wall, "document.querySelector('#view video').paused")
    finally:
        wall.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": False})


def tap(browser: Chrome, element: WebElement) -> None:
    box = browser.execute_script(
        "const { x, y, width, height } = arguments[0].getBoundingClientRect(); return [x + width / 2, y + height / 2]",
        element,
    )
    point = {"x": box[0], "y": box[1]}
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    browser.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def test_two_of_anything_are_rows_and_columns(wall: Chrome) -> None:
    assert heads(wall, "row-head") == ["boot", "shoe"]
    assert heads(wall, "head-cell") == ["plain", "mood", "ad", "dusk"]
    select(wall, "columns", "surface")
    assert heads(wall, "head-cell") == ["wet rock", "warm sand", "fresh snow"]
    # What stood in the other place changes places.
    select(wall, "rows", "surface")
    assert heads(wall, "head-cell") == ["boot", "shoe"]
    assert heads(wall, "row-head")[:2] == ["wet rock", "warm sand"]
    assert wall.current_url.endswith("#rows=variables.surface&columns=image")
    # What names each image is no filter, and good for rows.
    assert "product" not in [each.text for each in wall.find_elements(By.TAG_NAME, "legend")]
    select(wall, "rows", "product")
    assert heads(wall, "row-head") == ["the boot of the season", "the shoe of the season"]


def test_a_third_is_stepped_through(wall: Chrome) -> None:
    select(wall, "step", "camera")
    assert find(wall, ".cell .place").text == "1/6"
    find(wall, "#step-on").click()
    assert "slow push-in" not in find(wall, ".cell .values").text
    assert find(wall, "#step-value").get_attribute("value") == "1"
    assert "step=variables.camera&at=orbit%20left" in wall.current_url
    shifted(wall, Keys.ARROW_DOWN)
    assert find(wall, "#step-value").get_attribute("value") == "0"


def test_takes_of_a_cell_are_in_one_place(wall: Chrome) -> None:
    assert find(wall, ".cell .values").text == "wet rock · slow push-in · take 1"
    # Of those behind it, one is frozen and one flashes.
    assert find(wall, ".cell .behind").text == "+2"
    find(wall, ".cell .on").click()
    assert find(wall, ".cell .values").text == "wet rock · slow push-in · take 2"
    assert wall.current_url.endswith("#front=0000000000000001")
    address = wall.current_url
    wall.get("about:blank")
    wall.get(address)
    assert find(wall, ".cell .place").text == "2/12"
    hover(wall, frame(wall, 0))
    shifted(wall, Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert find(wall, ".cell .place").text == "12/12"


def test_the_sprite_follows_the_pointer(wall: Chrome) -> None:
    box = frame(wall, 0).rect
    mouse = ActionChains(wall, duration=0).move_to_element_with_offset(frame(wall, 0), round(box["width"] * 0.26), 0)
    mouse.perform()
    assert wait(wall, "document.querySelector('.sprite')?.naturalHeight === 120")
    assert find(wall, ".sprite").value_of_css_property("transform").startswith("matrix(1, 0, 0, 1, -")
    moved = wall.execute_script("return document.querySelector('.sprite').style.transform")
    assert moved == "translateX(-75%)"
    assert wall.find_elements(By.CSS_SELECTOR, "video") == []
    hover(wall, find(wall, "h1"))
    assert wall.find_elements(By.CSS_SELECTOR, ".sprite") == []
    # Over a clip that stands, too, until it moves again.
    keys(wall, "5")
    hover(wall, frame(wall, 0))
    assert wait(wall, "document.querySelector('.sprite')")
    keys(wall, Keys.ARROW_RIGHT)
    assert wait(wall, "document.querySelectorAll('.clip').length === 8 && !document.querySelector('.sprite')")


def test_what_is_visible_plays_in_step_and_nothing_else_is_loaded(wall: Chrome) -> None:
    assert not any(url.endswith(".mp4") for url in requested(wall))
    keys(wall, " ")
    assert wait(wall, "[...document.querySelectorAll('.clip')].every((clip) => clip.currentTime > 0.3)")
    assert len(wall.find_elements(By.CSS_SELECTOR, ".clip")) == 8
    played = {url for url in requested(wall) if url.endswith(".mp4")}
    assert len(played) == 8
    # Small copies move in the matrix; the loupe is over the originals.
    assert all("/previews/" in url for url in played)
    keys(wall, "z")
    assert wait(wall, "[...document.querySelectorAll('.clip')].every((clip) => clip.currentSrc.includes('/videos/'))")
    assert wait(wall, "[...document.querySelectorAll('.clip')].every((clip) => clip.currentTime > 0.3)")
    keys(wall, "z", "z", "z")
    assert wait(wall, "[...document.querySelectorAll('.clip')].every((clip) => clip.currentSrc.includes('/previews/'))")
    keys(wall, " ")
    assert wait(wall, "[...document.querySelectorAll('.clip')].every((clip) => clip.paused)")


def test_frames_are_stepped_exactly(wall: Chrome) -> None:
    keys(wall, "5")
    assert wait(wall, "document.getElementById('time').textContent.endsWith('f 72')")
    keys(wall, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_LEFT)
    assert wait(wall, "document.getElementById('time').textContent.endsWith('f 74')")
    times = (
        "[...document.querySelectorAll('.clip')].map((clip) => clip.seeking ? 0 : Math.floor(clip.currentTime * 24))"
    )
    assert wait(wall, f"{times}.every((frame) => frame === 74)")
    picture = Image.open(io.BytesIO(wall.get_screenshot_as_png())).convert("RGB")
    boxes = wall.execute_script(
        "return [...document.querySelectorAll('.clip')].map((clip) => clip.getBoundingClientRect())"
        ".map(({ x, y, width, height }) => [x, y, width, height])"
    )
    assert [number_in(picture, box) for box in boxes] == [74] * 8
    assert wait(wall, "location.hash === '#time=3.104'")
    address = wall.current_url
    wall.get("about:blank")
    wall.get(address)
    assert wait(wall, f"document.querySelectorAll('.clip').length === 8 && {times}.every((frame) => frame === 74)")
    assert wait(wall, "document.getElementById('time').textContent === '3.10 s f 74'")


def test_a_span_repeats(wall: Chrome) -> None:
    frame(wall, 0).click()
    keys(wall, " ", "2", "l", "3", "l")
    assert wait(wall, "location.hash.includes('span=1.2')")
    assert find(wall, "#loop").get_attribute("aria-pressed") == "true"
    keys(wall, "]", "]", "]")
    assert find(wall, "#speed").get_attribute("value") == "4"
    assert wait(wall, "document.querySelector('#view video').currentTime > 1.5")
    assert wait(wall, "document.querySelector('#view video').currentTime < 1.4")


def test_two_chosen_clips_are_compared(wall: Chrome) -> None:
    keys(wall, "d")
    assert find(wall, "#said").text.startswith("Choose two clips first")
    hover(wall, frame(wall, 0))
    keys(wall, "s")
    hover(wall, frame(wall, 1))
    keys(wall, "d")
    blend = "return getComputedStyle(document.querySelector('.pair .screen + .screen')).mixBlendMode"
    assert wall.execute_script(blend) == "difference"
    assert wait(wall, "document.querySelectorAll('#view video').length === 2")
    keys(wall, "w")
    assert wall.execute_script(blend) == "normal"
    assert "inset" in wall.execute_script(
        "return getComputedStyle(document.querySelector('.pair .screen + .screen .fit')).clipPath"
    )
    assert "Prompt, A to B" in find(wall, "#view-body").text
    assert find(wall, "ins").text.strip() == "at first light"
    keys(wall, "z")
    assert wait(wall, "[...document.querySelectorAll('#view video')].every(({ src }) => src.includes('/videos/'))")
    keys(wall, "z", "z", "z")
    wall.execute_script(
        "const wiper = document.querySelector('.wiper'); wiper.value = 250; wiper.dispatchEvent(new Event('input'))"
    )
    assert wait(wall, "location.hash.endsWith('pair=0000000000000000%2C000000000000000c&look=wipe&wipe=250')")
    address = wall.current_url
    wall.get("about:blank")
    wall.get(address)
    assert find(wall, ".pair").get_attribute("data-look") == "wipe"
    assert find(wall, ".wiper").get_attribute("value") == "250"


def test_the_loupe_is_over_all_clips(wall: Chrome) -> None:
    hover(wall, frame(wall, 0))
    keys(wall, "z", "z")
    hover(wall, frame(wall, 1))
    scales = "return [...document.querySelectorAll('.still')].map((each) => getComputedStyle(each).transform)"
    assert set(wall.execute_script(scales)) == {"matrix(4, 0, 0, 4, 0, 0)"}
    assert find(wall, "#loupe").get_attribute("aria-pressed") == "true"
    keys(wall, "z", "z")
    assert set(wall.execute_script(scales)) == {"none"}


def test_the_source_picture_is_shown_while_a_key_is_held(wall: Chrome) -> None:
    wait(wall, "document.querySelector('.still')?.complete")
    ActionChains(wall, duration=0).key_down("o").perform()
    assert wait(wall, "document.querySelectorAll('.fit > .source').length === 8")
    ActionChains(wall, duration=0).key_up("o").perform()
    assert wall.find_elements(By.CSS_SELECTOR, ".source") == []


def test_the_prompt_is_copied(wall: Chrome) -> None:
    wall.execute_cdp_cmd("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    hover(wall, frame(wall, 0))
    keys(wall, "c")
    assert wait(wall, "document.getElementById('said').textContent") == "Prompt copied"
    wall.set_script_timeout(5)
    assert wall.execute_async_script("navigator.clipboard.readText().then(arguments[0], arguments[0])") == (
        "The boot on wet rock, slow push-in"
    )


def test_what_is_gone_since_the_page_was_made_is_done_without(chromium: Chrome, thinned: str) -> None:
    fresh = chromium
    fresh.get(thinned)
    # The first frame of the original stands in for the thumbnail.
    assert wait(fresh, "[...document.querySelectorAll('video.still')].every(({ readyState }) => readyState > 1)")
    for x in (20, 40, 42):
        ActionChains(fresh, duration=0).move_to_element_with_offset(frame(fresh, 0), x, 0).perform()
    assert wait(fresh, "document.querySelector('.scrubbed, .sprite')")
    keys(fresh, " ")
    played = "[...document.querySelectorAll('.clip')].filter(({ currentTime }) => currentTime > 0.3)"
    assert wait(fresh, f"{played}.length === document.querySelectorAll('.cell[data-id]').length")
    sources = fresh.execute_script(f"return {played}.map(({{ currentSrc }}) => currentSrc)")
    assert all("/videos/" in source for source in sources)


def test_flashes_are_warned_of(wall: Chrome) -> None:
    chip(wall, "defect", "flash").click()
    assert len(wall.find_elements(By.CSS_SELECTOR, ".veil")) == len(shown(wall)) > 0
    find(wall, "#play").click()
    assert find(wall, "#said").text == "There is no clip on the screen that plays"
    assert wall.find_elements(By.CSS_SELECTOR, ".clip") == []
    find(wall, ".veil").click()
    keys(wall, " ")
    assert wait(wall, "document.querySelector('.clip')?.currentTime > 0.05")


def test_without_a_sprite_the_clip_follows_the_pointer(wall: Chrome, matrix: str) -> None:
    wall.get("about:blank")
    wall.get(matrix + "#front=0000000000000008")
    box = frame(wall, 0).rect
    ActionChains(wall, duration=0).move_to_element_with_offset(frame(wall, 0), round(box["width"] * 0.2), 0).perform()
    ActionChains(wall, duration=0).move_to_element_with_offset(frame(wall, 0), round(box["width"] * 0.21), 0).perform()
    assert wait(wall, "document.querySelector('.scrubbed')?.readyState > 0")


def test_clips_are_sorted_by_a_measure(wall: Chrome) -> None:
    select(wall, "rows", "–")
    select(wall, "columns", "–")
    select(wall, "sort", "motion")
    find(wall, "#direction").click()
    assert [number % 11 for number in shown(wall)[:3]] == [10, 10, 10]
    assert "sort=-measures.motion" in wall.current_url
    assert find(wall, ".figure").text == "motion 0.13"
    # Wobble is never told without the motion that it is a part of.
    select(wall, "sort", "wobble")
    assert find(wall, ".figure").text == "wobble 0.022, motion 0.04"
    # A column in which all jobs are alike sorts nothing.
    offered = [each.text for each in Select(find(wall, "#sort")).options]
    assert {"key", "product", "defects", "cfg_scale"} & set(offered) == {"key", "product", "defects"}


def test_measures_and_defects_are_told_on_demand(wall: Chrome, matrix: str) -> None:
    wall.get("about:blank")
    wall.get(matrix + "#job=0000000000000003")
    text = find(wall, "#view-body").text
    assert "frozen 0.42, limit 0.3 2.5–4.6 s" in text
    assert "the prompt says 'push-in', the camera stands" in text
    assert "7f6f9a3e-0f2c-4e6e-9a58-6f1f1f0c9b11" in text
    find(wall, "#view .span").click()
    assert wait(wall, "document.querySelector('#view video').currentTime >= 2.5")


def test_keys_are_shown_and_may_be_switched_off(wall: Chrome) -> None:
    keys(wall, "?")
    assert "difference of the two chosen clips" in find(wall, "#help").text
    find(wall, "#single-keys").click()
    keys(wall, Keys.ESCAPE)
    keys(wall, " ", "?")
    assert not find(wall, "#help").is_displayed()
    assert wall.find_elements(By.CSS_SELECTOR, ".clip") == []
    assert wall.current_url.endswith("#keys=off")


def test_only_rows_near_the_screen_are_filled(wall: Chrome) -> None:
    select(wall, "rows", "–")
    select(wall, "columns", "–")
    find(wall, "[data-size=l]").click()
    filled = "document.querySelectorAll('.row:not(:empty)').length"
    assert wait(wall, f"{filled} < document.querySelectorAll('.row').length")
    wall.execute_script("document.getElementById('cards').scrollTop = 1e6")
    assert wait(
        wall,
        "document.querySelector('.row:last-child .cell') && !document.querySelector('.row .cell')"
        "?.closest('.row:first-child')",
    )
    # Where one is stands in the address, too.
    assert wait(wall, "location.hash.includes('&top=')")
    address = wall.current_url
    wall.get("about:blank")
    wall.get(address)
    assert wait(wall, "document.querySelector('.row:last-child .cell')")
    assert wall.execute_script("return document.getElementById('cards').scrollTop") > 100


def test_arrow_keys_walk_over_the_matrix(wall: Chrome) -> None:
    wall.execute_script("document.querySelector('.frame').focus()")
    keys(wall, Keys.ARROW_DOWN)
    assert wall.execute_script("return document.activeElement.getAttribute('aria-label')").startswith("shoe/plain")
    keys(wall, Keys.ARROW_UP)
    assert wall.switch_to.active_element == frame(wall, 0)


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


AXE = os.environ.get("REELRUN_AXE")


@pytest.mark.skipif(AXE is None, reason="needs axe-core (REELRUN_AXE)")
@pytest.mark.parametrize("part", ["matrix", "sheet", "larger view", "two clips", "keys"])
def test_axe_finds_nothing_serious(wall: Chrome, part: str) -> None:
    if part == "sheet":
        select(wall, "rows", "–")
        select(wall, "columns", "–")
    elif part == "larger view":
        frame(wall, 0).click()
    elif part == "two clips":
        for number in (0, 1):
            wall.find_elements(By.CSS_SELECTOR, ".choose")[number].click()
        find(wall, "#wipe").click()
    elif part == "keys":
        find(wall, "#ask").click()
    wall.execute_script(Path(str(AXE)).read_text(encoding="utf-8"))
    found = wall.execute_async_script("axe.run().then(arguments[0])")["violations"]
    told = [(each["id"], each["impact"], [node["html"] for node in each["nodes"]][:3]) for each in found]
    assert [each for each in told if each[1] in ("serious", "critical")] == []


def test_marked_clips_play_on_the_page_that_is_handed_over(chromium: Chrome, tmp_path: Path) -> None:
    path = write_manifest(tmp_path, takes=2)
    manifest, jobs = deliver(path, [clip_bytes(1), clip_bytes(2)])
    for job in jobs:
        mark(manifest, job)
    words = ("--mark", "--certificate", "self", "--name", "a #1%20?b {{ take }}")
    assert call("publish", path, "--to", tmp_path / "to", *words).code == 0
    chromium.get((tmp_path / "to/index.html").as_uri())
    chromium.get_log("browser")
    chromium.execute_script("for (const each of document.querySelectorAll('video')) each.play()")
    wait(chromium, "[...document.querySelectorAll('video')].every(each => each.currentTime > 0.2)")
    assert (
        chromium.execute_script("return [...document.querySelectorAll('video')].map(each => each.error)") == [None] * 2
    )
    assert [each for each in chromium.get_log("browser") if each["level"] == "SEVERE"] == []
    links = [each.get_attribute("href") for each in chromium.find_elements(By.CSS_SELECTOR, "a")]
    assert all(str(each).startswith((tmp_path / "to").as_uri()) for each in links)
