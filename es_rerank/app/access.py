"""Who may look at the API's pages, and who may grade or change something there.

A key opens them, as ``Authorization: Bearer`` or through a session cookie that the login page sets. Without any key they are
open on loopback and closed beyond it. The Host header has to be an address, ``localhost`` or a name that is configured, so
that no foreign site can read them through a name of its own that leads here (DNS rebinding); a form has to come from these
pages (CSRF). Health, readiness and metrics need none of this, and the rerank APIs have a key of their own.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import ipaddress
from urllib.parse import urlsplit

from fastapi import Request
from itsdangerous import BadData, URLSafeTimedSerializer
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from es_rerank.config.settings import Settings, host_and_port

COOKIE = "es_rerank_session"
SESSION_S = 12 * 3600
_TRIES = RateLimitItemPerMinute(10)


class Role(enum.IntEnum):
    """What a visitor may do; each one may do what those before it may."""

    NOBODY = 0
    READER = 1
    JUDGE = 2
    ADMINISTRATOR = 3


NAMES = {Role.READER: "reader", Role.JUDGE: "judge", Role.ADMINISTRATOR: "administrator"}
SETTINGS = {Role.READER: "ES_RERANK_READ_KEY", Role.JUDGE: "ES_RERANK_JUDGE_KEY", Role.ADMINISTRATOR: "ES_RERANK_ADMIN_KEY"}


class Denied(Exception):
    """A request that is not let in. ``status``: 401 where a key would help, 403 where none is configured, 421 for a Host."""

    def __init__(self, status: int, problem: str) -> None:
        self.status = status
        self.problem = problem
        super().__init__(problem)


class Access:
    """The rules of one process."""

    def __init__(self, settings: Settings) -> None:
        given = {Role.READER: settings.read_key, Role.JUDGE: settings.judge_key, Role.ADMINISTRATOR: settings.admin_key}
        self._keys = {role: key.get_secret_value() for role, key in given.items() if key is not None}
        self._hosts = frozenset(settings.api_hosts)
        host, _ = host_and_port(settings.api)
        self._own_name = host.lower()
        self._open = not self._hosts and loopback(host) and Role.READER not in self._keys
        self._secure = settings.tls_cert is not None
        whole = "\0".join(f"{role}={key}" for role, key in sorted(self._keys.items()))
        self._signer = URLSafeTimedSerializer(hashlib.sha256(whole.encode()).hexdigest(), salt="es-rerank session")
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def __repr__(self) -> str:
        return f"<Access of {', '.join(NAMES[role] for role in self._keys) or 'nobody'}>"

    @property
    def has_keys(self) -> bool:
        """Whether there is anything to log in with."""
        return bool(self._keys)

    def role(self, request: Request) -> Role:
        """What a request may do; raises Denied for a Host that is not ours."""
        self._refuse_host(request)
        bearer = (request.headers.get("authorization") or "").partition("Bearer ")[2]
        found = self.role_of(bearer) if bearer else self._session(request)
        return max(found, Role.READER) if self._open else found

    def role_of(self, key: str) -> Role:
        """The role that a key gives; every key is compared, in constant time."""
        found = Role.NOBODY
        for role, known in self._keys.items():
            if hmac.compare_digest(key.encode(), known.encode()):
                found = max(found, role)
        return found

    def tries(self, request: Request) -> bool:
        """Count an attempt to log in; False where an address has made too many."""
        return self._limiter.hit(_TRIES, request.client.host if request.client else "")

    def session(self, role: Role) -> str:
        """The value of a session cookie; it ends with any change of a key."""
        return str(self._signer.dumps(int(role)))

    @property
    def cookie(self) -> dict[str, object]:
        """How the cookie is set."""
        return {"httponly": True, "samesite": "strict", "secure": self._secure, "path": "/"}

    def reads(self, request: Request) -> Role:
        """Let a reader in; raises Denied."""
        return self._least(request, Role.READER)

    def judges(self, request: Request) -> Role:
        """Let a judge in who sends a form of ours; raises Denied."""
        return self._least(request, Role.JUDGE, form=True)

    def administers(self, request: Request) -> Role:
        """Let an administrator in who sends a form of ours; raises Denied."""
        return self._least(request, Role.ADMINISTRATOR, form=True)

    def tries_out(self, request: Request) -> Role:
        """Let a reader in who sends a form of ours; raises Denied."""
        return self._least(request, Role.READER, form=True)

    def own_form(self, request: Request) -> Role:
        """What a request may do that sends a form of ours; raises Denied for one of another site."""
        found = self.role(request)
        if _foreign(request):
            raise Denied(403, "this form was sent from another site")
        return found

    def _least(self, request: Request, least: Role, *, form: bool = False) -> Role:
        found = self.own_form(request) if form else self.role(request)
        if found >= least:
            return found
        if not any(role >= least for role in self._keys):
            what = "these pages are closed beyond loopback" if least is Role.READER else "this is read-only"
            raise Denied(403, f"{what}: configure {SETTINGS[least]}")
        raise Denied(401, f"this takes the {NAMES[least]}'s key, as `Authorization: Bearer …`")

    def _session(self, request: Request) -> Role:
        try:
            found = self._signer.loads(request.cookies.get(COOKIE, ""), max_age=SESSION_S)
            return Role(found)
        except (BadData, ValueError):
            return Role.NOBODY

    def _refuse_host(self, request: Request) -> None:
        host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        if host in self._hosts or host == self._own_name or loopback(host) or _address(host):
            return
        problem = f"{host!r} is no name of these pages; name it in ES_RERANK_API_HOSTS if it is"
        raise Denied(421, problem)


def loopback(host: str) -> bool:
    """Whether a name or an address never leaves this machine."""
    if host.lower() == "localhost":
        return True
    return _address(host) and ipaddress.ip_address(host).is_loopback


def _address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _foreign(request: Request) -> bool:
    """Whether a browser says that another site sent this (Fetch Metadata; Origin for those without)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")
