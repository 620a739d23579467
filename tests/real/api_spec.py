"""Every API of Elasticsearch 9.5.3 as its own specification publishes it: names, paths, methods.

From the artifact ``org.elasticsearch:rest-api-spec``, which Maven fetches once.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from typing import NamedTuple

from tests.real.engines import KEPT, MAVEN, Missing

VERSION = "9.5.3"


class Api(NamedTuple):
    """One path of one API, with a method that it takes."""

    name: str
    method: str
    path: str


def apis() -> list[Api]:
    """All of them; raises Missing where Maven cannot fetch them."""
    jar = KEPT / "rest-api-spec" / f"rest-api-spec-{VERSION}.jar"
    if not jar.exists():
        _fetch(str(jar.parent))
    with zipfile.ZipFile(jar) as archive:
        files = [name for name in archive.namelist() if name.startswith("rest-api-spec/api/") and name.endswith(".json")]
        return [api for name in files if not name.endswith("_common.json") for api in _read(json.loads(archive.read(name)))]


def _read(spec: dict[str, dict[str, dict[str, list[dict[str, list[str]]]]]]) -> Iterator[Api]:
    for name, described in spec.items():
        for entry in described["url"]["paths"]:
            for method in entry["methods"]:
                yield Api(name, method, str(entry["path"]))


def _fetch(folder: str) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise Missing("Maven (mvn) is not on the path")
    plugin = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
    command = [
        maven,
        "-q",
        "-B",
        plugin,
        f"-Dartifact=org.elasticsearch:rest-api-spec:{VERSION}",
        f"-DoutputDirectory={folder}",
    ]
    with MAVEN:
        told = subprocess.run(command, capture_output=True, text=True, check=False)
    if told.returncode:
        raise Missing(f"Maven could not fetch the API specification: {told.stdout[-500:]}{told.stderr[-500:]}")
