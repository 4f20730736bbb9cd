"""All configuration of the platform: typed, checked once at the start, immutable afterwards.

A setting comes from the environment (`IATI_NAME`), from a file named by the environment (`IATI_NAME_FILE`, secrets only)
or from `iati.toml` in the data directory (`name = …`); the environment wins. An unknown or ill-formed setting raises
`SettingsError`, whose message names it and says what is allowed. Names starting with `IATI_TEST_` belong to the test
suite and are left alone. Every setting is described in `docs/settings.md`, and a test holds that.
"""

from __future__ import annotations

import difflib
import ipaddress
import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Literal
from urllib.parse import urlsplit

PREFIX = "IATI_"
TEST_PREFIX = "IATI_TEST_"
FILE_SUFFIX = "_FILE"
CONFIGURATION_FILE = "iati.toml"
DEFAULT_DATA_DIR = Path("data")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingsError(Exception):
    """A setting is unknown or ill-formed; the message names it and says what is allowed."""


class _Refused(Exception):
    """A value a parser does not accept; the text says what is allowed."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The platform's configuration. Field names are the setting names in lower case, without the prefix."""

    data_dir: Path
    public_url: str = "http://127.0.0.1:8000"
    hosts: Mapping[str, str] = field(default_factory=dict)
    database_url: str = field(default="", repr=False)
    object_store_url: str = field(default="", repr=False)
    search_url: str | None = None
    executor: str = "process"
    workers: int = field(default_factory=lambda: os.cpu_count() or 1)
    oidc_issuer: str | None = None
    oidc_audience: str | None = None
    smtp_url: str | None = field(default=None, repr=False)
    fetch_allow_private: bool = False
    fetch_concurrency: int = 32
    fetch_per_host: int = 2
    fetch_max_size: int = 200_000_000
    """Bytes; a publisher's file above it is not taken."""
    refresh_interval: int = 1200
    """Seconds between the starts of two cycles."""
    api_keys: Literal["off", "required"] = "off"
    max_upload: int = 60 * 1024 * 1024
    """Bytes of one request body; above it the answer is 413."""
    trusted_proxies: tuple[Network, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    retention_versions: int = 3
    """Generations kept on disk, the current one included."""
    retention_workspaces: int = 90
    """Days a validator workspace is kept after its last use."""
    audit_public_key: str | None = field(default=None, repr=False)
    maintenance_mode: bool = False
    log_format: Literal["console", "json"] = "console"
    today: date | None = None
    """Fixes the date that date rules and statistics see; None is the real one (UTC)."""


# ── parsers: text of the environment or a native TOML value -> the setting's value ────────────────────────────────────


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Refused("a text that is not empty")
    return value.strip()


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise _Refused("true or false")


def _whole(minimum: int, maximum: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        allowed = f"a whole number from {minimum} to {maximum}"
        if isinstance(value, bool) or not isinstance(value, int | str) or not re.fullmatch(r"[0-9]{1,12}", str(value).strip()):
            raise _Refused(allowed)
        number = int(value)
        if not minimum <= number <= maximum:
            raise _Refused(allowed)
        return number

    return parse


_SIZE_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_TIME_UNITS = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def _measure(units: Mapping[str, int], minimum: int, maximum: int, allowed: str) -> Callable[[object], int]:
    def parse(value: object) -> int:
        match = re.fullmatch(r"([0-9]{1,12})\s*([a-z]*)", str(value).strip().lower()) if isinstance(value, int | str) else None
        if isinstance(value, bool) or match is None or match[2] not in units:
            raise _Refused(allowed)
        amount = int(match[1]) * units[match[2]]
        if not minimum <= amount <= maximum:
            raise _Refused(allowed)
        return amount

    return parse


def _one_of(*words: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if value not in words:
            raise _Refused(" or ".join(words))
        return str(value)

    return parse


def _url(*schemes: str, example: str, host: bool = True) -> Callable[[object], str]:
    def parse(value: object) -> str:
        allowed = f"a URL such as {example}"
        text = _text(value)
        try:
            parts = urlsplit(text)
            _ = parts.port  # an ill-formed port only shows when asked for
        except ValueError as error:
            raise _Refused(allowed) from error
        if parts.scheme not in schemes or (host and not parts.netloc) or re.search(r"[\s\x00-\x1f]", text):
            raise _Refused(allowed)
        return text

    return parse


_http_url = _url("http", "https", example="https://iati.example.org")


def _public_url(value: object) -> str:
    url = _http_url(value)
    parts = urlsplit(url)
    if parts.query or parts.fragment or parts.username:
        raise _Refused("a URL such as https://iati.example.org, without query, fragment or user")
    return url.rstrip("/")


_HOST_NAME = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*(:\d{1,5})?"
)


def _hosts(value: object) -> Mapping[str, str]:
    allowed = 'a table of systems and their host names such as {"validator": "validator.example.org"}'
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError as error:
            raise _Refused(allowed) from error
    if not isinstance(value, dict):
        raise _Refused(allowed)
    hosts: dict[str, str] = {}
    for system, name in value.items():
        if not re.fullmatch(r"[a-z][a-z0-9-]*", str(system)) or not isinstance(name, str) or not _HOST_NAME.fullmatch(name):
            raise _Refused(allowed)
        hosts[str(system)] = name.lower()
    if len(set(hosts.values())) != len(hosts):
        raise _Refused("a different host name for every system")
    return hosts


def _parts(value: object) -> list[str]:
    """The entries of a comma-separated text or of a TOML list."""
    entries = value.split(",") if isinstance(value, str) else value
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise _Refused("a list of texts, separated by commas in the environment")
    return [entry.strip() for entry in entries if entry.strip()]


def _networks(value: object) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(entry) for entry in _parts(value))
    except ValueError as error:
        raise _Refused("addresses or networks separated by commas, such as 127.0.0.1,10.0.0.0/8") from error


def _origins(value: object) -> tuple[str, ...]:
    allowed = "origins separated by commas, such as https://app.example.org, or *"
    origins = []
    for entry in _parts(value):
        if entry != "*":
            try:
                parts = urlsplit(_http_url(entry))
            except _Refused as error:
                raise _Refused(allowed) from error
            if parts.path.rstrip("/") or parts.query or parts.fragment or parts.username:
                raise _Refused(allowed)
            entry = f"{parts.scheme}://{parts.netloc.lower()}"
        origins.append(entry)
    return tuple(origins)


def _database_url(value: object) -> str:
    text = _text(value)
    if not re.match(r"(sqlite:///.+|postgresql\+psycopg://.+)", text):
        raise _Refused("sqlite:///PATH or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE")
    return text


def _search_url(value: object) -> str:
    # Honest until the SolrCloud engine is there: better no start than a start on another engine than the one asked for.
    _text(value)
    raise _Refused("nothing yet: this version searches with its embedded engine, so leave it unset")


def _api_keys(value: object) -> str:
    # A promise of protection that nobody keeps is worse than none.
    if _one_of("off", "required")(value) == "required":
        raise _Refused("off: keys for the APIs are not there yet, protect them with your proxy meanwhile")
    return "off"


def _maintenance_mode(value: object) -> bool:
    if _boolean(value):
        raise _Refused("false: nothing writes through the web yet; stop `iati up` and use `iati serve` to keep everything as it is")
    return False


def _executor(value: object) -> str:
    text = _text(value)
    if text not in ("process", "inline") and not re.fullmatch(r"dask://[^\s/]+:\d{1,5}", text):
        raise _Refused("process, inline or dask://HOST:PORT")
    return text


def _date(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value.strip()):
            return date.fromisoformat(value.strip())
    except ValueError:
        pass
    raise _Refused("a date such as 2026-11-22")


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: how its value is read, and whether it may hold a secret (then `IATI_NAME_FILE` works too)."""

    parse: Callable[[object], object]
    secret: bool = False


_DURATION = "a duration from 1 s to 30 d such as 1200, 20m or 1h"

SETTINGS: Mapping[str, Setting] = MappingProxyType(
    {
        "DATA_DIR": Setting(lambda value: Path(_text(value)).expanduser()),
        "PUBLIC_URL": Setting(_public_url),
        "HOSTS": Setting(_hosts),
        "DATABASE_URL": Setting(_database_url, secret=True),
        "OBJECT_STORE_URL": Setting(
            _url("file", "s3", "gs", "az", example="s3://bucket/prefix, gs://… or az://…", host=False), secret=True
        ),
        "SEARCH_URL": Setting(_search_url),
        "EXECUTOR": Setting(_executor),
        "WORKERS": Setting(_whole(1, 1024)),
        "OIDC_ISSUER": Setting(_http_url),
        "OIDC_AUDIENCE": Setting(_text),
        "SMTP_URL": Setting(_url("smtp", "smtps", example="smtp://user:password@mail.example.org:587"), secret=True),
        "FETCH_ALLOW_PRIVATE": Setting(_boolean),
        "FETCH_CONCURRENCY": Setting(_whole(1, 1000)),
        "FETCH_PER_HOST": Setting(_whole(1, 100)),
        "FETCH_MAX_SIZE": Setting(_measure(_SIZE_UNITS, 1, 2 * 10**9, "a size up to 2 GB such as 200 MB")),
        "REFRESH_INTERVAL": Setting(_measure(_TIME_UNITS, 1, 30 * 86400, _DURATION)),
        "API_KEYS": Setting(_api_keys),
        "MAX_UPLOAD": Setting(_measure(_SIZE_UNITS, 1, 2 * 10**9, "a size up to 2 GB such as 60 MiB")),
        "TRUSTED_PROXIES": Setting(_networks),
        "ALLOWED_ORIGINS": Setting(_origins),
        "RETENTION_VERSIONS": Setting(_whole(1, 1000)),
        "RETENTION_WORKSPACES": Setting(_whole(1, 3650)),
        "AUDIT_PUBLIC_KEY": Setting(_text, secret=True),
        "MAINTENANCE_MODE": Setting(_maintenance_mode),
        "LOG_FORMAT": Setting(_one_of("console", "json")),
        "TODAY": Setting(_date),
    }
)


def load_settings(env: Mapping[str, str] | None = None, data_dir: Path | str | None = None) -> Settings:
    """Read and check the whole configuration.

    `env` is the environment (default: the process's), `data_dir` a directory given on the command line, which wins over
    `IATI_DATA_DIR`. Raises `SettingsError`. Reads files, creates none.
    """
    given = _from_environment(os.environ if env is None else env)
    values: dict[str, object] = {}
    if data_dir is not None:
        given["DATA_DIR"] = ("--data-dir", str(data_dir))
    directory = DEFAULT_DATA_DIR
    if "DATA_DIR" in given:
        directory = Path(str(_parse("DATA_DIR", *given.pop("DATA_DIR"))))
    directory = directory.absolute()
    for name, (origin, value) in {**_from_file(directory / CONFIGURATION_FILE), **given}.items():
        values[name.lower()] = _parse(name, origin, value)
    values.setdefault("database_url", f"sqlite:///{directory / 'records.sqlite'}")
    values.setdefault("object_store_url", (directory / "objects").as_uri())
    return Settings(data_dir=directory, **values)  # type: ignore[arg-type]


def _from_environment(env: Mapping[str, str]) -> dict[str, tuple[str, object]]:
    given: dict[str, tuple[str, object]] = {}
    for variable, value in env.items():
        if not variable.startswith(PREFIX) or variable.startswith(TEST_PREFIX):
            continue
        name = variable.removeprefix(PREFIX)
        if name not in SETTINGS:
            base = name.removesuffix(FILE_SUFFIX)
            if base == name or base not in SETTINGS or not SETTINGS[base].secret:
                raise _unknown(variable, PREFIX, name)
            if base in given or f"{PREFIX}{base}" in env:
                raise SettingsError(f"{variable} and {PREFIX}{base} are both set: keep one of them")
            given[base] = (variable, _secret_file(variable, value))
        elif value.strip():  # an empty variable means "not set", as compose files and CI systems write it
            given[name] = (variable, value)
    return given


def _secret_file(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(f"{variable}: the file {path} cannot be read ({reason})") from error


def _from_file(path: Path) -> dict[str, tuple[str, object]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}") from error
    given: dict[str, tuple[str, object]] = {}
    for key, value in content.items():
        name = key.upper()
        if name == "DATA_DIR":
            raise SettingsError(f"{key} in {path}: the data directory cannot be named inside itself; use IATI_DATA_DIR or --data-dir")
        if name not in SETTINGS:
            raise _unknown(f"{key} in {path}", "", name, lower=True)
        if name in given:
            raise SettingsError(f"{key} in {path} is set twice: keep one of them")
        given[name] = (f"{key} in {path}", value)
    return given


def _parse(name: str, origin: str, value: object) -> object:
    setting = SETTINGS[name]
    try:
        return setting.parse(value)
    except _Refused as refused:
        shown = "its value" if setting.secret else repr(value)  # secrets never reach a log
        raise SettingsError(f"{origin}: {shown} is not allowed; it takes {refused}") from None


def _unknown(origin: str, prefix: str, name: str, *, lower: bool = False) -> SettingsError:
    near = difflib.get_close_matches(name, SETTINGS, n=1, cutoff=0.6)
    hint = f"did you mean {prefix}{near[0].lower() if lower else near[0]}?" if near else "the settings are listed in docs/settings.md"
    return SettingsError(f"{origin}: there is no such setting; {hint}")
