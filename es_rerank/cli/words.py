"""What the demo says, in English and in simplified Chinese, chosen by ``LC_ALL``, ``LC_MESSAGES`` or ``LANG``."""

from __future__ import annotations

from collections.abc import Mapping

ENGLISH = {
    "starting": "starting the engine ({engine}), indexing {count} documents, loading the scorer ({scorer}) …",
    "bm25": "BM25",
    "knn": "kNN",
    "hybrid": "hybrid (BM25 and kNN)",
    "before": "Elasticsearch",
    "after": "through es-rerank",
    "moved": "moved",
    "took": "{header}; direct {direct:.0f} ms, through the proxy {proxied:.0f} ms",
    "best": "best match",
    "up": "es-rerank is up; point any Elasticsearch client at the proxy. Ctrl-C ends it.",
    "proxy": "proxy",
    "api": "API",
    "compare": "compare page",
    "bye": "stopped, and the demo's index is gone",
    "absent": "no Elasticsearch answers at {url} ({fault}); start one (docker compose up elasticsearch) or set "
    "ES_RERANK_UPSTREAM",
}
CHINESE = {
    "starting": "正在启动引擎({engine})、索引 {count} 篇文档、加载打分器({scorer})…",
    "bm25": "BM25",
    "knn": "kNN 向量检索",
    "hybrid": "混合检索(BM25 加 kNN)",
    "before": "Elasticsearch 原序",
    "after": "经 es-rerank 重排",
    "moved": "移动",
    "took": "{header};直连 {direct:.0f} 毫秒,经代理 {proxied:.0f} 毫秒",
    "best": "最佳匹配",
    "up": "es-rerank 已就绪:任何 Elasticsearch 客户端都可指向代理地址。按 Ctrl-C 结束。",
    "proxy": "代理",
    "api": "API",
    "compare": "对比页面",
    "bye": "已停止,演示索引已删除",
    "absent": "{url} 上没有 Elasticsearch 应答({fault});请先启动(docker compose up elasticsearch),或设置 ES_RERANK_UPSTREAM",
}


def words(environment: Mapping[str, str]) -> dict[str, str]:
    """The texts for a locale."""
    locale = environment.get("LC_ALL") or environment.get("LC_MESSAGES") or environment.get("LANG") or ""
    return CHINESE if locale.lower().startswith("zh") else ENGLISH
