"""The compare page in a real Chromium: typed into, read, looked at."""

from __future__ import annotations

from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from es_rerank.app.background import Running
from tests.browser.conftest import says, shown

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::ResourceWarning")]


def search(browser: webdriver.Chrome, page: Running, query: str) -> None:
    browser.get(f"{page.api}/compare")
    field = browser.find_element(By.NAME, "q")
    field.send_keys(query, Keys.ENTER)
    says(browser, ".outcome, .problem", "")


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
    assert browser.title == "es-rerank: Compare"
    assert "<script>" in browser.find_element(By.TAG_NAME, "main").text
    assert browser.find_elements(By.CSS_SELECTOR, "main script, main img") == []
    loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
    assert all(name.startswith(page.api) for name in loaded)
    heard: Any = browser.get_log("browser")  # type: ignore[no-untyped-call]
    assert heard == []


def test_on_a_telephone(browser: webdriver.Chrome, page: Running) -> None:
    """The columns stand one above the other, and nothing sticks out."""
    browser.set_window_size(500, 900)
    search(browser, page, "how do I stop my coffee from tasting bitter")
    first, second = browser.find_elements(By.CSS_SELECTOR, "section")
    assert first.location["y"] < second.location["y"]
    width = browser.execute_script("return [document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1]
    shown(browser, "compare-narrow")
    browser.set_window_size(1200, 900)


def test_problems_are_said(browser: webdriver.Chrome, page: Running) -> None:
    """An index without a policy."""
    browser.get(f"{page.api}/compare?index=elsewhere&q=milk")
    assert "no policy names" in browser.find_element(By.CSS_SELECTOR, ".problem").text
    assert browser.find_element(By.NAME, "q").get_attribute("value") == "milk"


def test_a_whole_search_and_why_it_passed_through(browser: webdriver.Chrome, page: Running) -> None:
    """As a client sends it; a reranked one tells its plan, one that is sorted tells why there is none."""

    def send(body: str, outcome: str) -> None:
        field = browser.find_element(By.NAME, "body")
        field.clear()
        field.send_keys(body)
        browser.find_element(By.CSS_SELECTOR, "main form button").click()
        says(browser, ".outcome", outcome)
        browser.find_element(By.CSS_SELECTOR, "details.plan summary").click()

    browser.get(f"{page.api}/compare?index=es-rerank-demo")
    browser.find_element(By.CSS_SELECTOR, "details.whole summary").click()
    send('{"query": {"match": {"text": "milk"}}, "size": 3}', "reranked;window=")
    says(browser, "details.plan", "words for the model\nmilk")
    says(browser, "details.plan", "page (from + size)\n0 + 3")
    says(browser, "details.plan", "POST /es-rerank-demo/_search")
    send('{"query": {"match": {"text": "milk"}}, "sort": ["_doc"]}', "reason=sort: the client sorts by something else")
    says(browser, "details.plan", "as it came")
