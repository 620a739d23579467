"""Judge, Experiments, Live and Policies in a real Chromium: by mouse, by keyboard, in both languages, light and dark, narrow."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from es_rerank.app.background import Running
from tests.browser.conftest import says, shown

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

PAGES = ("compare", "judge", "experiments", "live", "policies")
QUERIES = ("how do I stop my coffee from tasting bitter", "猫咪能不能喝牛奶?", "sleep well at night")
UNLABELLED = """return [...document.querySelectorAll("input:not([type=hidden]):not([hidden]), textarea, select, button")]
  .filter(one => !(one.labels && one.labels.length) && !one.textContent.trim() && !one.ariaLabel).map(one => one.outerHTML)"""


@pytest.fixture(scope="module", autouse=True)
def searched(page: Running) -> Running:
    """People search and click, those who see the model's order more often."""
    chance = random.Random(1)
    for number in range(240):
        body = {"query": {"multi_match": {"query": QUERIES[number % 3], "fields": ["title", "text"]}}, "size": 5}
        got = httpx.post(f"{page.url}/es-rerank-demo/_search", json=body, headers={"X-User": str(number // 2)}, timeout=60)
        treated = 'variant="rerank"' in got.headers["x-rerank"]
        if chance.random() < (0.9 if treated else 0.3):
            about = {"object": {"object_id": got.json()["hits"]["hits"][0]["_id"]}}
            click = {"action_name": "click", "query_id": got.headers["x-rerank-query-id"], "event_attributes": about}
            assert httpx.post(f"{page.events}/events", json=click, timeout=30).status_code == 200
    return page


@pytest.fixture
def boss(browser: webdriver.Chrome, page: Running) -> Iterator[webdriver.Chrome]:
    """A browser of somebody who logged in by keyboard, and out again afterwards."""
    browser.set_window_size(1200, 900)
    browser.get(f"{page.api}/login?next=/experiments")
    browser.switch_to.active_element.send_keys("boss", Keys.ENTER)
    says(browser, "h1", "Experiments")
    yield browser
    browser.delete_all_cookies()


def wait(browser: webdriver.Chrome, selector: str) -> None:
    WebDriverWait(browser, 60).until(lambda one: one.find_elements(By.CSS_SELECTOR, selector))


def press(browser: webdriver.Chrome, words: str) -> None:
    browser.find_element(By.XPATH, f"//button[contains(., '{words}')]").click()


def test_an_experiment_is_measured_ramped_and_stopped(boss: webdriver.Chrome, page: Running) -> None:
    """Verdict and table; new weights; the kill switch, after which searches are raw; and on again."""
    press(boss, "Measure now")
    wait(boss, "article .verdict")
    assert "rerank is better than control" in boss.find_element(By.CSS_SELECTOR, ".verdict").text
    assert "CTR@10" in boss.find_element(By.TAG_NAME, "table").text
    shown(boss, "experiments")
    report = boss.find_element(By.LINK_TEXT, "whole report").get_attribute("href")
    boss.get(str(report))
    assert len(boss.find_elements(By.TAG_NAME, "svg")) == 2
    assert boss.get_log("browser") == []  # type: ignore[no-untyped-call]
    boss.get(f"{page.api}/experiments")
    weight = boss.find_element(By.NAME, "weight:rerank")
    weight.clear()
    weight.send_keys("0")
    press(boss, "Change the weights")
    says(boss, "main", "Every instance has the last change.")
    assert page.application.experiments.running[0][1].weights == {"control": 50, "rerank": 0}
    press(boss, "Stop it")
    says(boss, "article", "stopped: everybody")
    body = {"query": {"match": {"text": "milk"}}}
    got = httpx.post(f"{page.url}/es-rerank-demo/_search", json=body, headers={"X-User": "x"}, timeout=60)
    assert got.headers["x-rerank"] == "passed-through;reason=stopped"
    press(boss, "Start it again")
    says(boss, "article", "running")
    weight = boss.find_element(By.NAME, "weight:rerank")
    weight.clear()
    weight.send_keys("50")
    press(boss, "Change the weights")
    says(boss, "article", "running")


def test_grades_by_keyboard_become_judgments(boss: webdriver.Chrome, page: Running) -> None:
    """A set is made, a hit is graded with the arrow keys, and ``evaluate`` reads it; hostile hits are text."""
    boss.get(f"{page.api}/judge")
    boss.find_element(By.NAME, "name").send_keys(
        "first", Keys.TAB, "es-rerank-demo", Keys.TAB, "\n".join((*QUERIES, "hostile milk"))
    )
    press(boss, "Make it")
    says(boss, "h2", QUERIES[0])
    shown(boss, "judge")
    chosen = boss.find_element(By.CSS_SELECTOR, "fieldset input:checked")
    chosen.send_keys(Keys.ARROW_LEFT)
    identity = boss.find_element(By.TAG_NAME, "legend").text
    press(boss, "Save and go on")
    says(boss, "h2", QUERIES[1])
    boss.get(f"{page.api}/judge/first/q4")
    assert boss.title == "es-rerank: Judge"
    assert "<script>" in boss.find_element(By.CLASS_NAME, "grades").text
    folder = page.application.settings.judgments
    assert folder is not None
    assert (folder / "first/qrels.tsv").read_text() == f"query-id\tcorpus-id\tscore\nq1\t{identity}\t3\n"
    binary = Path(sys.executable).parent / "es-rerank"
    where = ["--upstream", page.application.settings.upstream, "--config", str(page.application.settings.config)]
    told = subprocess.run(
        [binary, "evaluate", folder / "first", "es-rerank-demo", *where, "--scorer", "fake"],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert "nDCG@10" in told.stdout, told.stderr


def test_live_follows(browser: webdriver.Chrome, page: Running) -> None:
    """The figures change by themselves; what is not ticked does not."""
    browser.set_window_size(1200, 900)
    browser.get(f"{page.api}/live?seconds=900")
    assert "reranked" in browser.find_element(By.ID, "figures").text
    shown(browser, "live")
    before = browser.find_element(By.ID, "figures")
    browser.execute_script("window.again = again; again()")
    WebDriverWait(browser, 30).until(lambda one: one.find_element(By.ID, "figures") != before)
    browser.find_element(By.ID, "follow").send_keys(Keys.SPACE)
    kept = browser.find_element(By.ID, "figures")
    browser.execute_async_script("again().then(arguments[0])")
    assert browser.find_element(By.ID, "figures") == kept
    assert browser.get_log("browser") == []  # type: ignore[no-untyped-call]


def test_a_change_of_policy_is_checked_and_tried(browser: webdriver.Chrome, page: Running) -> None:
    """A fault by its line; then what the change does to the searches that came."""
    browser.set_window_size(1200, 900)
    browser.get(f"{page.api}/policies")
    browser.find_element(By.LINK_TEXT, "demo.yaml").click()
    says(browser, "textarea", "indices:")
    text = browser.find_element(By.NAME, "text")
    good = str(text.get_attribute("value"))
    for changed, button, words in (
        (good.replace("fields:", "fieldz:"), "Check it", "demo.yaml:"),
        (good.replace("rank_window_size: 30", "enabled: false"), "Try it on", "first pages would change"),
    ):
        text = browser.find_element(By.NAME, "text")
        browser.execute_script("arguments[0].value = arguments[1]", text, changed)
        press(browser, button)
        says(browser, "main", words)
        assert browser.find_element(By.NAME, "text").get_attribute("value") == changed
    table = browser.find_element(By.CSS_SELECTOR, "#results table")
    assert QUERIES[0] in table.text
    assert len(table.find_elements(By.CSS_SELECTOR, "tr.changed")) >= 1
    text = browser.find_element(By.NAME, "text")
    browser.execute_script("arguments[0].value = arguments[0].value.split('\\nexperiment:')[0]", text)  # a path of ours
    shown(browser, "policies")
    browser.execute_script("arguments[0].value = arguments[1]", text, changed)
    body = {"query": {"match": {"text": "hostile milk"}}}
    httpx.post(f"{page.url}/es-rerank-demo/_search", json=body, headers={"X-User": "x"}, timeout=60)
    press(browser, "Try it on")
    says(browser, "#results table", "<script>")
    assert browser.title == "es-rerank: Policies"
    heard: Any = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert all("status of 400" in one["message"] for one in heard)


@pytest.mark.parametrize("name", PAGES)
def test_every_page(browser: webdriver.Chrome, page: Running, name: str) -> None:
    """In both languages, on a telephone, in the dark; each control has a name, each page one heading, and nothing comes from
    elsewhere.
    """
    for language, width, scheme in (("en", 1200, "light"), ("zh", 390, "dark")):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        browser.execute_cdp_cmd(
            "Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        )
        browser.get(f"{page.api}/{name}?lang={language}")
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == {"en": "en", "zh": "zh-CN"}[language]
        assert browser.execute_script(UNLABELLED) == []
        assert len(browser.find_elements(By.TAG_NAME, "h1")) == 1
        assert browser.find_element(By.CSS_SELECTOR, "nav [aria-current=page]").get_attribute("href") == f"{page.api}/{name}"
        sizes = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
        assert sizes[0] <= sizes[1]
        paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
        assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}[scheme]
        loaded = browser.execute_script("return performance.getEntriesByType('resource').map(one => one.name)")
        assert all(one.startswith(page.api) for one in loaded)
        heard: Any = browser.get_log("browser")  # type: ignore[no-untyped-call]
        assert heard == [], json.dumps(heard)
        if scheme == "dark":
            shown(browser, f"{name}-zh-dark")
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    browser.delete_all_cookies()


def test_the_keyboard_reaches_the_content(browser: webdriver.Chrome, page: Running) -> None:
    """The first stop is a link past the navigation, and it works."""
    browser.set_window_size(1200, 900)
    browser.get(f"{page.api}/live")
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    first = browser.switch_to.active_element
    assert first.text == "Skip to the content"
    first.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"
