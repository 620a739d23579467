"""Documents that cannot drift: generated tables, listed metrics and reasons, links, files that must load."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
import typing
from pathlib import Path

import pytest
import typer
import yaml

from es_rerank.cli import app
from es_rerank.config.loader import load
from es_rerank.core.reasons import MEANINGS, Outcome
from es_rerank.telemetry.metrics import Metrics

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "deploy").glob("*.md")]


def test_configuration_is_generated() -> None:
    """``make docs`` was run: every key and every setting is described."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs/generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (ROOT / "docs/configuration.md").read_text() == module.document()


def test_every_reason_and_metric_is_listed() -> None:
    """In the operations guide."""
    page = (ROOT / "docs/operations.md").read_text()
    for reason, meaning in MEANINGS.items():
        assert f"| `{reason.value}` | {meaning} |" in page
    for family in Metrics().registry.collect():
        assert family.name in page, family.name


def asked_of_prometheus() -> list[str]:
    """Every expression of the alerts and of the dashboard."""
    rules = yaml.safe_load((ROOT / "deploy/prometheus/es-rerank.rules.yaml").read_text())
    board = json.loads((ROOT / "deploy/grafana/es-rerank.json").read_text())
    found = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    return found + [target["expr"] for panel in board["panels"] for target in panel["targets"]]


def test_alerts_and_dashboard_ask_for_what_is_counted() -> None:
    """Each metric exists, with the labels that are asked for, and each counted family is on the dashboard or in an alert."""
    known: dict[str, str] = {}
    for family in Metrics().registry.collect():
        kinds = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        known |= {family.name + kind: family.name for kind in kinds}
    asked = {name for text in asked_of_prometheus() for name in re.findall(r"es_rerank_\w+", text)}
    assert asked - known.keys() == set()
    assert set(known.values()) - {known[name] for name in asked} <= {"es_rerank_scored_hits", "es_rerank_passthrough_bytes"}
    for text in asked_of_prometheus():
        assert text.count("(") == text.count(")")
        assert text.count("{") == text.count("}")
        for label, value in re.findall(r'(outcome|stage|kind|result|reason)=~?"([^"]+)"', text):
            words: dict[str, set[str]] = {"outcome": set(Outcome), "stage": {"total", "queue"}, "kind": {"first", "retry"}}
            words["result"] = {"refused", "dropped"}
            assert set(value.split("|")) <= words[label], text


def test_every_alert_is_in_the_runbook() -> None:
    """By its name."""
    rules = yaml.safe_load((ROOT / "deploy/prometheus/es-rerank.rules.yaml").read_text())
    runbook = (ROOT / "docs/operations.md").read_text().partition("## Runbook")[2]
    for rule in (rule for group in rules["groups"] for rule in group["rules"]):
        assert f"`{rule['alert']}`" in runbook
        assert rule["annotations"]["summary"]


def test_shipped_policies_load() -> None:
    """Every file in ``plugin_config``."""
    assert load(ROOT / "plugin_config")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Files that pages point at exist."""
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


POLICY_PAGES = ["README.md", "README.zh-CN.md", "docs/experiments.md", "docs/tutorial.md", "docs/tutorial.zh-CN.md"]


@pytest.mark.parametrize("page", POLICY_PAGES)
def test_policies_in_the_readme_load(page: str, tmp_path: Path) -> None:
    """Each YAML block is a policy."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
    assert blocks
    for block in blocks:
        (tmp_path / "p.yaml").write_text(block)
        assert load(tmp_path)[0].passage.named_fields


def test_both_readmes_have_the_same_examples() -> None:
    """Code blocks agree but for the language of a query and of comments."""
    blocks = [
        [
            re.sub(r"#.*|[^\x00-\x7f]+", "", block)
            for block in re.findall(r"```\w+\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
        ]
        for page in ("README.md", "README.zh-CN.md")
    ]
    assert len(blocks[0]) == len(blocks[1])
    same = [one.split() == two.split() for one, two in zip(*blocks, strict=True)]
    assert sum(same) >= len(same) - 1


def test_both_tutorials_have_the_same_examples() -> None:
    """To the letter."""
    blocks = [
        re.findall(r"```\w+\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)
        for page in ("docs/tutorial.md", "docs/tutorial.zh-CN.md")
    ]
    assert blocks[0] == blocks[1]
    assert len(blocks[0]) > 5


def commands() -> list[tuple[str, list[str]]]:
    """Every ``es-rerank …`` in a shell block of any page, its lines joined."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```(?:sh|bash)\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(re.sub(r"\s#.*", "", line)) if line.strip().startswith("es-rerank") else []
                if words:
                    found.append((page.name, words[1:]))
    return found


@pytest.mark.parametrize(("page", "words"), commands(), ids=lambda part: " ".join(part) if isinstance(part, list) else part)
def test_commands_exist(page: str, words: list[str]) -> None:
    """With every option that a page gives them."""
    command: typing.Any = typer.main.get_command(app)
    while words and hasattr(command, "commands"):
        assert words[0] in command.commands, (page, words)
        command, words = command.commands[words[0]], words[1:]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    assert [word for word in words if word.startswith("--") and word.partition("=")[0] not in known] == [], page


def test_compose_and_image() -> None:
    """Published on loopback, a GPU reserved, one proxy a profile; the image is not root and has a health check."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services = compose["services"]
    assert {name: service.get("profiles") for name, service in services.items()} == {
        "elasticsearch": None, "es-rerank": ["gpu"], "es-rerank-cpu": ["cpu"],
    }  # fmt: skip
    for service in services.values():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    devices = services["es-rerank"]["deploy"]["resources"]["reservations"]["devices"]
    assert devices[0]["capabilities"] == ["gpu"]
    assert "deploy" not in services["es-rerank-cpu"] or not services["es-rerank-cpu"]["deploy"]
    image = (ROOT / "Dockerfile").read_text()
    assert image.count("FROM ") == 2
    assert "USER es-rerank" in image
    assert "HEALTHCHECK" in image
    for source in re.findall(r"^COPY (?!--from)(.*) \S+$", image, re.MULTILINE):
        assert all((ROOT / name).exists() for name in source.split())
