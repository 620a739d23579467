"""The official clients of five languages: how each is fetched and built, and how its steps are run.

Everything lies under ``.engines/clients``; what a tool fetches goes into that tool's own cache beside it.
:class:`Missing` says which toolchain is not here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.real.engines import KEPT, Missing, java

HERE = Path(__file__).parent / "clients"


class Client(NamedTuple):
    """One client in one version: ``prepare`` gives the command that takes an address, and the folder to run it in."""

    name: str
    prepare: Callable[[], tuple[list[str], Path]]
    engines: tuple[str, ...]
    sniffs: bool = False

    def steps(self, url: str, *options: str) -> dict[str, Any]:
        """Run all steps against one address; fails with the client's own words."""
        command, folder = self.prepare()
        told = _run([*command, url, *options], folder, PYTHONPATH=str(folder))
        found: dict[str, Any] = json.loads(told.splitlines()[-1])
        return found


def _run(command: Sequence[str | Path], folder: Path, **variables: str) -> str:
    told = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        timeout=900,
    )
    if told.returncode:
        raise AssertionError(f"{' '.join(map(str, command))[:200]}\n{told.stdout[-1500:]}\n{told.stderr[-3000:]}")
    return told.stdout


def _needs(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        raise Missing(f"{tool} is not on the path")
    return found


def _made(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that is filled once."""
    folder = KEPT / "clients" / name
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        make(folder)
        (folder / "done").touch()
    return folder


def _javascript(package: str, version: str) -> Callable[[], tuple[list[str], Path]]:
    def prepare() -> tuple[list[str], Path]:
        node, npm = _needs("node"), _needs("npm")

        def fetch(folder: Path) -> None:
            (folder / "package.json").write_text('{"private":true}')
            _run([npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", f"{package}@{version}"], folder)

        folder = _made(f"javascript-{package.strip('@').replace('/', '-')}-{version}", fetch)
        return [node, str(HERE / "javascript/steps.js"), package], folder

    return prepare


def _go(major: int, version: str) -> Callable[[], tuple[list[str], Path]]:
    def prepare() -> tuple[list[str], Path]:
        go = _needs("go")

        def build(folder: Path) -> None:
            module = f"github.com/elastic/go-elasticsearch/v{major}"
            (folder / "go.mod").write_text(f"module steps\n\ngo 1.23\n\nrequire {module} {version}\n")
            source = (HERE / "go/steps.go").read_text().replace("go-elasticsearch/v9", f"go-elasticsearch/v{major}")
            (folder / "steps.go").write_text(source)
            _run([go, "mod", "tidy"], folder, GOFLAGS="-mod=mod", GOTOOLCHAIN="local")
            _run([go, "build", "-o", "steps", "."], folder, GOFLAGS="-mod=mod", GOTOOLCHAIN="local")

        folder = _made(f"go-{version}", build)
        return [str(folder / "steps")], folder

    return prepare


def _java(kind: str, version: str) -> Callable[[], tuple[list[str], Path]]:
    def prepare() -> tuple[list[str], Path]:
        maven, runtime = _needs("mvn"), java(17, 99)

        def fetch(folder: Path) -> None:
            pom = HERE / kind / "pom.xml"
            copy = ["dependency:copy-dependencies", f"-DoutputDirectory={folder}/lib"]
            _run([maven, "-q", "-B", "-f", pom, f"-Dclient.version={version}", *copy], folder)
            source = (HERE / kind / "Steps.java").read_text()
            connect = HERE / kind / f"Connect{version.partition('.')[0]}.java"
            (folder / "Steps.java").write_text(
                source.replace("// CONNECT", connect.read_text()) if connect.exists() else source
            )

        folder = _made(f"{kind}-{version}", fetch)
        return [str(runtime), "-cp", f"{folder}/lib/*", str(folder / "Steps.java")], folder

    return prepare


def _rust(version: str) -> Callable[[], tuple[list[str], Path]]:
    def prepare() -> tuple[list[str], Path]:
        cargo = _needs("cargo")

        def build(folder: Path) -> None:
            manifest = (HERE / "rust/Cargo.toml").read_text().replace("VERSION", version)
            (folder / "Cargo.toml").write_text(manifest)
            (folder / "src").mkdir()
            shutil.copy(HERE / "rust/main.rs", folder / "src/main.rs")
            _run([cargo, "build", "-q"], folder, CARGO_TARGET_DIR=str(KEPT / "clients/rust-target"))
            shutil.copy(KEPT / "clients/rust-target/debug/steps", folder / "steps")

        folder = _made(f"rust-{version}", build)
        return [str(folder / "steps")], folder

    return prepare


_PYTHON_NEEDS = {
    "elasticsearch==7": ["urllib3<2", "certifi"],
    "elasticsearch==8": ["elastic-transport<9", "urllib3<3", "certifi", "aiohttp"],
    "elasticsearch==9": ["elastic-transport>=9", "urllib3<3", "aiohttp"],
    "elasticsearch-dsl==7": ["elasticsearch==7.17.12", "urllib3<2", "certifi"],
    "elasticsearch-dsl==8": ["elasticsearch==8.19.3", "elastic-transport<9", "urllib3<3", "certifi"],
    "opensearch-py==3": ["aiohttp"],
}


def _python(requirement: str, module: str) -> Callable[[], tuple[list[str], Path]]:
    def prepare() -> tuple[list[str], Path]:
        folder = python(requirement)
        return [*bare_python(), str(HERE / "python/steps.py"), module], folder

    return prepare


def python(requirement: str) -> Path:
    """The folder of one Python client, beside nothing of this project."""

    def fetch(folder: Path) -> None:
        needs = _PYTHON_NEEDS[requirement.partition(".")[0]]
        pip: list[str | Path] = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--target",
            folder,
        ]
        _run([*pip, requirement, *needs], folder)

    return _made(requirement, fetch)


def bare_python() -> list[str]:
    """The interpreter itself: an old client must not meet the packages of this project."""
    return [getattr(sys, "_base_executable", sys.executable), "-s", "-P"]


_NINE, _EIGHT, _SEVEN, _OPEN = ("elasticsearch-9",), ("elasticsearch-8",), ("elasticsearch-7",), ("opensearch-3",)
_BOTH = (*_EIGHT, *_NINE)
_ELASTIC, _OPENSEARCH = "@elastic/elasticsearch", "@opensearch-project/opensearch"

CLIENTS = (
    Client("python 7.13.4", _python("elasticsearch==7.13.4", "elasticsearch"), _SEVEN, sniffs=True),
    Client("python 7.17.12", _python("elasticsearch==7.17.12", "elasticsearch"), _BOTH),
    Client("python 8.19.3", _python("elasticsearch==8.19.3", "elasticsearch"), _BOTH, sniffs=True),
    Client("python 9.5.1", _python("elasticsearch==9.5.1", "elasticsearch"), _NINE, sniffs=True),
    Client("python opensearch-py 3.2.0", _python("opensearch-py==3.2.0", "opensearchpy"), _OPEN, sniffs=True),
    Client("python elasticsearch-dsl 7.4.1", _python("elasticsearch-dsl==7.4.1", "elasticsearch"), _BOTH),
    Client("python elasticsearch-dsl 8.18.0", _python("elasticsearch-dsl==8.18.0", "elasticsearch"), _BOTH),
    Client("javascript 7.13.0", _javascript(_ELASTIC, "7.13.0"), _SEVEN, sniffs=True),
    Client("javascript 7.17.14", _javascript(_ELASTIC, "7.17.14"), _BOTH),
    Client("javascript 8.19.1", _javascript(_ELASTIC, "8.19.1"), _BOTH, sniffs=True),
    Client("javascript 9.5.1", _javascript(_ELASTIC, "9.5.1"), _NINE, sniffs=True),
    Client("javascript opensearch 3.9.0", _javascript(_OPENSEARCH, "3.9.0"), _OPEN, sniffs=True),
    Client("go 8.19.7", _go(8, "v8.19.7"), _BOTH, sniffs=True),
    Client("go 9.5.2", _go(9, "v9.5.2"), _NINE, sniffs=True),
    Client("java 8.19.10", _java("java", "8.19.10"), _BOTH),
    Client("java 9.5.6", _java("java", "9.5.6"), _NINE, sniffs=True),
    Client("java high-level 7.10.2", _java("java_rest", "7.10.2"), _SEVEN),
    Client("rust 9.1.0-alpha.1", _rust("9.1.0-alpha.1"), _BOTH),
)
"""Every client, with the engines that it accepts."""
