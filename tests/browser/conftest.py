"""A real Chromium, and a proxy over the embedded engine for it to look at.

``ES_RERANK_SCREENSHOTS=folder`` keeps the pictures; those in the docs are made so.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from es_rerank.app.background import Running
from es_rerank.scoring.embedded import EmbeddedBackend
from tests.real.conftest import REQUIRED
from tests.real.engines import Engine, Missing
from tests.running import proxy
from tests.wire import ask

ROOT = Path(__file__).parents[2]
EVIL = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
EXPERIMENT = """
experiment:
  id: demo-1
  unit: {header: X-User}
  variants: {control: {weight: 50}, rerank: {weight: 50}}
  exposures: {file: FILE}
"""


@pytest.fixture(scope="session")
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


@pytest.fixture(scope="session", params=["embedded", "elasticsearch-9"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The demo's documents, and one that is hostile in every field; an experiment, and somebody who may do everything."""
    folder = tmp_path_factory.mktemp("pages")
    try:
        engine = Engine(request.param).launch().wait()
    except Missing as exc:
        if REQUIRED:
            pytest.fail(f"{request.param} is required: {exc}")
        pytest.skip(f"left out, pages over {request.param}: {exc}")
    data = ROOT / "es_rerank/cli/data"
    documents = json.loads((data / "demo.json").read_text())["documents"]
    lines = b""
    for entry in [*documents, {"id": EVIL, "title": EVIL, "text": f"hostile milk {EVIL}"}]:
        source = {key: entry[key] for key in ("title", "text")}
        lines += json.dumps({"index": {"_id": entry["id"]}}).encode() + b"\n" + json.dumps(source).encode() + b"\n"
    filled = ask(engine.url, "POST", "/es-rerank-demo/_bulk?refresh=true", lines, {"Content-Type": "application/x-ndjson"})
    assert not filled.json()["errors"]
    policy = (data / "demo.yaml").read_text() + EXPERIMENT.replace("FILE", str(folder / "records.jsonl"))
    own = {
        "admin_key": "boss",
        "judgments": folder / "judgments",
        "state": folder / "state.json",
        "events": "127.0.0.1:0",
        "events_index": "",
        "events_file": folder / "events.jsonl",
        "events_per_minute": 100_000,
    }
    with proxy(engine.url, EmbeddedBackend(), {"demo.yaml": policy}, **own) as running:  # type: ignore[arg-type]
        yield running
    engine.stop()


def shown(browser: webdriver.Chrome, name: str) -> None:
    folder = os.environ.get("ES_RERANK_SCREENSHOTS")
    if folder:
        height = browser.execute_script("return document.documentElement.scrollHeight")
        browser.set_window_size(browser.get_window_size()["width"], min(height + 150, 2000))
        browser.save_screenshot(f"{folder}/{name}.png")


def says(browser: webdriver.Chrome, selector: str, words: str) -> None:
    """Wait until an element says something; a page that is being replaced may be looked at in between."""
    slow = WebDriverWait(browser, 30, ignored_exceptions=(StaleElementReferenceException, NoSuchElementException))
    slow.until(lambda one: words in one.find_element(By.CSS_SELECTOR, selector).text, f"{selector} never said {words}")
