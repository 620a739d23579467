"""The compare page in a real Chromium, over the embedded engine: typed into, read, looked at.

``ES_RERANK_SCREENSHOTS=folder`` keeps the pictures; the one in the docs is made so.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from es_rerank.app.background import Running
from es_rerank.scoring.embedded import EmbeddedBackend
from tests.real.conftest import REQUIRED
from tests.real.engines import Engine
from tests.running import proxy
from tests.wire import ask

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]

ROOT = Path(__file__).parents[2]
EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if binary is None or driver is None:
        if REQUIRED:
            pytest.fail("chromium and chromedriver are required")
        pytest.skip("left out, pages in a browser: chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--window-size=1200,900",
        "--disable-background-networking", "--disable-component-update", "--disable-sync",
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):  # fmt: skip
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    found = webdriver.Chrome(options, Service(driver))
    yield found
    found.quit()


@pytest.fixture(scope="module")
def page() -> Iterator[Running]:
    """The demo's documents, and one that is hostile in every field."""
    engine = Engine("embedded").launch().wait()
    data = ROOT / "es_rerank/cli/data"
    documents = json.loads((data / "demo.json").read_text())["documents"]
    lines = b""
    for entry in [*documents, {"id": EVIL, "title": EVIL, "text": f"hostile milk {EVIL}"}]:
        source = {key: entry[key] for key in ("title", "text")}
        lines += json.dumps({"index": {"_id": entry["id"]}}).encode() + b"\n" + json.dumps(source).encode() + b"\n"
    filled = ask(engine.url, "POST", "/es-rerank-demo/_bulk?refresh=true", lines, {"Content-Type": "application/x-ndjson"})
    assert not filled.json()["errors"]
    with proxy(engine.url, EmbeddedBackend(), (data / "demo.yaml").read_text()) as running:
        yield running
    engine.stop()


def shown(browser: webdriver.Chrome, name: str) -> None:
    folder = os.environ.get("ES_RERANK_SCREENSHOTS")
    if folder:
        height = browser.execute_script("return document.documentElement.scrollHeight")
        browser.set_window_size(browser.get_window_size()["width"], min(height + 150, 2000))
        browser.save_screenshot(f"{folder}/{name}.png")


def search(browser: webdriver.Chrome, page: Running, query: str) -> None:
    browser.get(f"{page.api}/compare")
    field = browser.find_element(By.NAME, "q")
    field.send_keys(query, Keys.ENTER)
    browser.find_element(By.CSS_SELECTOR, ".outcome, .problem")


def test_a_query_is_typed_and_both_orders_are_read(browser: webdriver.Chrome, page: Running) -> None:
    """The lactose passage rises to the top, marked, with its movement."""
    browser.set_window_size(1200, 900)
    search(browser, page, "猫咪能不能喝牛奶?")
    assert browser.find_element(By.CSS_SELECTOR, ".outcome code").text.startswith("X-Rerank: reranked;window=")
    columns = browser.find_elements(By.CSS_SELECTOR, "section")
    assert [column.find_element(By.TAG_NAME, "h2").text for column in columns] == ["Elasticsearch", "Reranked"]
    best = columns[1].find_elements(By.TAG_NAME, "li")[0]
    assert "best" in (best.get_attribute("class") or "")
    assert "cats-2" in best.text
    assert "▲" in best.text
    assert columns[0].find_elements(By.TAG_NAME, "li")[0].text.split()[1] != "cats-2"
    left, right = (column.location["x"] for column in columns)
    assert left < right
    shown(browser, "compare")


def test_hostile_documents_are_text(browser: webdriver.Chrome, page: Running) -> None:
    """Nothing of a document is run, and nothing is loaded from elsewhere."""
    search(browser, page, "hostile milk")
    assert browser.title == "es-rerank: compare"
    assert "<script>" in browser.find_element(By.TAG_NAME, "main").text
    assert browser.find_elements(By.CSS_SELECTOR, "main script, main img") == []
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(name.startswith(page.api) for name in loaded)
    heard: Any = browser.get_log("browser")  # type: ignore[no-untyped-call]
    errors = [entry for entry in heard if "favicon" not in entry["message"]]
    assert errors == []


def test_on_a_telephone(browser: webdriver.Chrome, page: Running) -> None:
    """The columns stand one above the other, and nothing sticks out."""
    browser.set_window_size(500, 900)
    search(browser, page, "how do I stop my coffee from tasting bitter")
    first, second = browser.find_elements(By.CSS_SELECTOR, "section")
    assert first.location["y"] < second.location["y"]
    width = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1]
    shown(browser, "compare-narrow")


def test_problems_are_said(browser: webdriver.Chrome, page: Running) -> None:
    """An index without a policy."""
    browser.get(f"{page.api}/compare?index=elsewhere&q=milk")
    assert "no policy names" in browser.find_element(By.CSS_SELECTOR, ".problem").text
    assert browser.find_element(By.NAME, "q").get_attribute("value") == "milk"
