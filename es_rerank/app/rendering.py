"""Pages: templates, two languages, the headers that keep a page to itself. Rendered here, with no outside assets.

A text stands in a template in English, inside ``_("…")``; ``pages/zh.json`` has it in simplified Chinese. Everything that
comes from outside is escaped. Does not decide who may see a page.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import msgspec
from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader

from es_rerank.app.access import COOKIE, Access, Denied, Role
from es_rerank.app.state import Readiness

LANGUAGES = {"en": "English", "zh": "简体中文"}
_LANGUAGE = "es_rerank_language"
_YEAR_S = 365 * 24 * 3600

SECURITY = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
STATIC = {"style.css": "text/css; charset=utf-8", "live.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml"}
PAGES = (
    ("compare", "Compare"),
    ("judge", "Judge"),
    ("experiments", "Experiments"),
    ("live", "Live"),
    ("policies", "Policies"),
)

_loader = PackageLoader("es_rerank.app", "pages")
_environment = Environment(loader=_loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)


@cache
def chinese() -> Mapping[str, str]:
    """Every text of the pages, English → simplified Chinese."""
    return dict(msgspec.json.decode(_source("zh.json"), type=dict[str, str]))


def _source(name: str) -> str:
    return _loader.get_source(_environment, name)[0]


def static(name: str) -> Response:
    """A file that pages need."""
    return Response(_source(name), media_type=STATIC[name], headers={"X-Content-Type-Options": "nosniff"})


class Pages:
    """Renders; ``access`` says what a visitor may do, so that pages offer only that."""

    def __init__(self, access: Access, readiness: Readiness) -> None:
        self._access = access
        self._readiness = readiness

    def render(
        self,
        request: Request,
        template: str,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **values: Any,  # noqa: ANN401  the template's
    ) -> HTMLResponse:
        """One page. ``template`` is its file without ``.html``."""
        language = _language(request)
        try:
            role = self._access.role(request)
        except Denied:
            role = Role.NOBODY
        text = _environment.get_template(f"{template}.html").render(
            _=translated(language),
            language=language,
            languages=LANGUAGES,
            pages=PAGES,
            here=request.url.path,
            asked=dict(request.query_params),
            role=role,
            Role=Role,
            has_keys=self._access.has_keys,
            session=COOKIE in request.cookies,
            state=self._readiness,
            **values,
        )
        answer = HTMLResponse(text, status, headers=SECURITY | dict(headers or {}))
        if request.query_params.get("lang") in LANGUAGES:
            answer.set_cookie(_LANGUAGE, language, max_age=_YEAR_S, httponly=True, samesite="lax")
        return answer


def _language(request: Request) -> str:
    """As chosen now, as chosen once, or as the browser says."""
    for given in (request.query_params.get("lang"), request.cookies.get(_LANGUAGE)):
        if given in LANGUAGES:
            return str(given)
    first = (request.headers.get("accept-language") or "").partition(",")[0].strip().lower()
    return "zh" if first.startswith("zh") else "en"


def translated(language: str) -> Callable[..., str]:
    """The ``_`` of templates: a text in a language, with values put into its braces."""
    texts: Mapping[str, str] = chinese() if language == "zh" else {}

    def found(text: str, **values: object) -> str:
        said = texts.get(text, text)
        return said.format(**values) if values else said

    return found


def wants_page(request: Request) -> bool:
    """Whether a browser asks, rather than a program."""
    return "text/html" in (request.headers.get("accept") or "")
