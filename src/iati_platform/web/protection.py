"""All guards of this room round one application, in the order they must stand."""

from __future__ import annotations

from starlette.types import ASGIApp

from iati_platform.settings import Settings

from .body import BodyLimit
from .compression import Gzip
from .errors import LastResort
from .metrics import Measured
from .proxies import TrustedProxies
from .requests import RequestLog
from .security import HostCheck, SecurityHeaders, allowed_hosts


def protected(app: ASGIApp, settings: Settings) -> ASGIApp:
    """`app` behind proxy headers, request ids and log, metrics, security headers, Host check, compression, error pages and body limit.

    Reads the settings PUBLIC_URL, HOSTS, MAX_UPLOAD and TRUSTED_PROXIES. uvicorn must run with `proxy_headers=False` and
    `access_log=False`: both are done here, with more care for what is believed and what is written down.
    """
    guarded: ASGIApp = BodyLimit(app, settings.max_upload)
    guarded = LastResort(guarded)
    guarded = Gzip(guarded)
    guarded = HostCheck(guarded, allowed_hosts(settings.public_url, settings.hosts.values()))
    guarded = SecurityHeaders(guarded)
    guarded = Measured(guarded)
    guarded = RequestLog(guarded)
    return TrustedProxies(guarded, settings.trusted_proxies)
