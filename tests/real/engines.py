"""Starts real search engines from their published Maven artifacts, and the embedded server from its wheel.

One process an engine; its jars are kept under ``.engines/KIND``, its data goes when it ends. Needs Maven; JDK 21 or newer, and 11 to 17 for
Elasticsearch 7.10.2. Where something is missing, :class:`Missing` says what, and where it was looked for.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx

HERE = Path(__file__).parent / "servers"
KEPT = Path(__file__).parents[2] / ".engines"
START_TIMEOUT_S = 240
MAVEN = threading.Lock()
"""Two Mavens that fill one empty local repository get in each other's way."""

KINDS = {
    "elasticsearch-9": ("elasticsearch", "RunElasticsearch", "9.5.3", (21, 99)),
    "elasticsearch-8": ("elasticsearch", "RunElasticsearch", "8.19.21", (21, 99)),
    "elasticsearch-7": ("elasticsearch7", "RunElasticsearch7", "7.10.2.0", (11, 17)),
    "opensearch-3": ("opensearch", "RunOpenSearch", "3.8.0.0", (21, 99)),
}


class Missing(Exception):
    """A tool that an engine needs is not here."""


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def java(oldest: int, newest: int) -> Path:
    """The first Java whose major version lies between the two; raises Missing."""
    found = [Path(os.environ.get("JAVA_HOME", "/nonexistent")) / "bin/java", Path(shutil.which("java") or "/nonexistent")]
    found += sorted(Path("/usr/lib/jvm").glob("*/bin/java"))
    looked = []
    for candidate in found:
        if candidate.exists():
            told = subprocess.run([candidate, "-version"], capture_output=True, text=True, check=False).stderr
            match = re.search(r'version "(\d+)', told)
            looked.append(f"{candidate} ({match[1] if match else '?'})")
            if match and oldest <= int(match[1]) <= newest:
                return candidate
    raise Missing(f"no JDK between {oldest} and {newest}; looked at {', '.join(looked) or 'JAVA_HOME, PATH, /usr/lib/jvm'}")


class Engine:
    """One running engine; ``url`` answers once it is started."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = KEPT / kind
        self.home = KEPT / "running" / f"{kind}-{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def launch(self) -> Engine:
        """Start the process; raises Missing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.home.mkdir(parents=True)
        command = self._noida() if self.kind == "embedded" else self._jvm()
        with (self.home / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command, cwd=self.home, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        return self

    def wait(self) -> Engine:
        """Wait until it answers."""
        assert self._process is not None
        end = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                if httpx.get(self.url, timeout=2).status_code == 200:
                    self._tame()
                    return self
            except httpx.HTTPError:
                pass
            time.sleep(0.2)
        told = (self.home / "log").read_text(errors="replace")[-3000:]
        raise AssertionError(f"{self.kind} did not start:\n{told}")

    def _tame(self) -> None:
        """Let a nearly full disk not make indices read-only."""
        if self.kind != "embedded":
            settings = {"persistent": {"cluster.routing.allocation.disk.threshold_enabled": False}}
            httpx.put(f"{self.url}/_cluster/settings", json=settings, timeout=30)

    def stop(self) -> None:
        """End the process and what it started."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def _noida(self) -> list[str]:
        binary = Path(sys.executable).parent / "noida-db"
        return [str(binary), "start", "--only", "elasticsearch", "--elasticsearch-port", str(self.port)]

    def _jvm(self) -> list[str]:
        source, main, version, (oldest, newest) = KINDS[self.kind]
        runtime = java(oldest, newest)
        if shutil.which("mvn") is None:
            raise Missing("Maven (mvn) is not on the path")
        if not (self.folder / "resolved").exists():
            self._resolve(source, version, runtime)
        if source == "elasticsearch":
            (self.home / "modules").symlink_to(self.folder / "modules")
            (self.home / "plugins").mkdir()
            (self.home / "config").mkdir()
        flags = [] if self.kind == "elasticsearch-7" else ["--add-modules=jdk.incubator.vector"]
        flags += [] if self.kind == "elasticsearch-7" else ["--enable-native-access=ALL-UNNAMED"]
        program = HERE / source / f"{main}.java"
        classes = ["-cp", f"{self.folder}/lib/*", str(program), str(self.home), str(self.port)]
        return [str(runtime), "-Xms512m", "-Xmx1g", *flags, *classes]

    def _resolve(self, source: str, version: str, runtime: Path) -> None:
        """Fetch the jars; on 8 and 9, lay out modules and build the small one that answers ``GET /``."""
        pom = ["-f", str(HERE / source / "pom.xml"), f"-Des.version={version}"]
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={self.folder}/lib"]
        with MAVEN:
            told = subprocess.run(["mvn", "-q", "-B", *pom, *copy], capture_output=True, text=True, check=False)
        if told.returncode:
            raise Missing(f"Maven could not fetch {self.kind}: {told.stdout[-800:]}{told.stderr[-800:]}")
        if source == "elasticsearch":
            self._lay_out(version, runtime.parent)
        (self.folder / "resolved").touch()

    def _lay_out(self, version: str, tools: Path) -> None:
        for name in ("modules/transport-netty4", "modules/root-info"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        for jar in [*(self.folder / "lib").glob("netty-*.jar"), *(self.folder / "lib").glob("transport-netty4-*.jar")]:
            shutil.move(jar, self.folder / "modules/transport-netty4" / jar.name)
        self._describe("transport-netty4", "org.elasticsearch.transport.netty4.Netty4Plugin", version)
        root = HERE / "elasticsearch/root"
        sources = [str(root / "RootHandler.java"), str(root / version.partition(".")[0] / "RootPlugin.java")]
        built = self.folder / "root-info"
        subprocess.run([tools / "javac", "-cp", f"{self.folder}/lib/*", "-d", built, *sources], check=True)
        jar_file = self.folder / "modules/root-info/root-info.jar"
        subprocess.run([tools / "jar", "--create", "--file", jar_file, "-C", built, "."], check=True)
        self._describe("root-info", "RootPlugin", version)

    def _describe(self, module: str, main: str, version: str) -> None:
        lines = [f"name={module}", f"description={module}", f"classname={main}", f"version={version}"]
        lines += [f"elasticsearch.version={version}", "java.version=17", ""]
        (self.folder / "modules" / module / "plugin-descriptor.properties").write_text("\n".join(lines))
