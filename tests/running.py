"""A real proxy on real ports, in a thread of the test process, over any upstream and any backend."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from es_rerank.app.background import Running, running
from es_rerank.app.build import Application
from es_rerank.app.serve import listener
from es_rerank.config.settings import Settings
from es_rerank.scoring.backend import TextBackend
from es_rerank.scoring.fake import FakeBackend
from es_rerank.scoring.texts import Texts

POLICY = """\
indices: ["books*", "many", "vectors*"]
rank_window_size: 50
window_max: 500
passage: {fields: [title, text]}
timeout_ms: 3000
"""


@contextlib.contextmanager
def proxy(
    upstream: str,
    backend: TextBackend | None = None,
    policy: str | dict[str, str] = POLICY,
    load: Callable[[], TextBackend] | None = None,
    meanwhile: Callable[[str], None] | None = None,
    **settings: Any,
) -> Iterator[Running]:
    """Run a proxy until the block ends; it is warm when the block begins. ``meanwhile`` is called with its address
    beside the loading of the model. ``advertise=True`` advertises the proxy's own address.
    """
    with tempfile.TemporaryDirectory() as folder:
        for name, text in ({"policy.yaml": policy} if isinstance(policy, str) else policy).items():
            (Path(folder) / name).write_text(text)
        sockets = [listener("127.0.0.1:0", "--listen"), listener("127.0.0.1:0", "--api")]
        sockets += [listener("127.0.0.1:0", "--events")] if "events" in settings else []
        place = f"127.0.0.1:{sockets[0].getsockname()[1]}"
        if settings.get("advertise") is True:
            settings["advertise"] = place
        given: dict[str, Any] = {"upstream": upstream, "config": Path(folder), "scorer": "fake", "shutdown_s": 1}
        application = Application(
            Settings(**(given | settings)), lambda: [Texts(load() if load else backend or FakeBackend())]
        )
        beside = threading.Thread(target=meanwhile, args=(f"http://{place}",))
        if meanwhile is not None:
            beside.start()
        with running(application, *sockets) as found:
            if meanwhile is not None:
                beside.join()
            yield found
