"""Reads `registry.json` from a folder or over HTTP. Everything that comes in is hostile: size, time and addresses are bounded."""

from __future__ import annotations

import ipaddress
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import orjson

from iati_platform.registry.importers.source import DOCUMENT_NAME, SourceError, SourceForm, SourceSpec

SIZE_MAXIMUM = 200_000_000  # 9,000 datasets take 4 MB
SECONDS_MAXIMUM = 300
REDIRECTS_MAXIMUM = 5
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)


class Unreadable(SourceError):
    """The document cannot be had or is not a registry; nothing is changed."""


@dataclass(frozen=True, slots=True)
class Document:
    """The two lists of a registry document, records unchecked."""

    organisations: list[Any]
    datasets: list[Any]


def read_document(spec: SourceSpec, *, allow_private: bool = False) -> Document:
    """Read and parse the document of a source. Raises `Unreadable` with the reason."""
    data = _from_folder(Path(spec.text)) if spec.form is SourceForm.FOLDER else _over_http(spec.text, allow_private)
    return parse_document(data, spec.text)


def parse_document(data: bytes, name: str) -> Document:
    """The document in `data`; `name` says in messages where it comes from. Raises `Unreadable`."""
    try:
        content = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"{name}: {DOCUMENT_NAME} is not JSON (line {error.lineno}, column {error.colno})") from error
    if not isinstance(content, dict):
        raise Unreadable(f'{name}: {DOCUMENT_NAME} is not an object with "organisations" and "datasets"')
    for key in ("organisations", "datasets"):
        if not isinstance(content.get(key), list):
            raise Unreadable(f'{name}: {DOCUMENT_NAME} has no list "{key}"')
    document = Document(content["organisations"], content["datasets"])
    if not document.organisations and not document.datasets:
        raise Unreadable(f"{name}: {DOCUMENT_NAME} is empty")
    return document


def _from_folder(folder: Path) -> bytes:
    path = folder / DOCUMENT_NAME
    try:
        if path.stat().st_size > SIZE_MAXIMUM:
            raise Unreadable(f"{path} is larger than {SIZE_MAXIMUM // 10**6} MB")
        return path.read_bytes()
    except FileNotFoundError:
        what = f"has no {DOCUMENT_NAME}" if folder.is_dir() else "is not there"
        raise Unreadable(f"{folder} {what}") from None
    except OSError as error:
        raise Unreadable(f"{path} cannot be read ({error.strerror})") from error


def _over_http(url: str, allow_private: bool) -> bytes:
    deadline = time.monotonic() + SECONDS_MAXIMUM
    # No proxy from the environment: the address check would then look at the wrong machine.
    with httpx.Client(timeout=_TIMEOUT, follow_redirects=False, trust_env=False) as client:
        current = url
        for _ in range(REDIRECTS_MAXIMUM + 1):
            try:
                request = _request(client, current, allow_private)
                response = client.send(request, stream=True)
                try:
                    if response.has_redirect_location:
                        current = urljoin(current, response.headers["Location"])
                        continue
                    if response.status_code != 200:
                        raise Unreadable(f"{url} answered {response.status_code} {response.reason_phrase}".rstrip())
                    return _body(response, url, deadline)
                finally:
                    response.close()
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                raise Unreadable(f"{url} cannot be fetched ({error or type(error).__name__})") from error
    raise Unreadable(f"{url} redirects more than {REDIRECTS_MAXIMUM} times")


def _request(client: httpx.Client, url: str, allow_private: bool) -> httpx.Request:
    """A request to the address that was checked: the name is looked up once, so a second answer cannot lead elsewhere."""
    headers = {"Accept": "application/json", "User-Agent": "iati-platform"}
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Unreadable(f"{url} is not an address of the web")
    if allow_private:
        return client.build_request("GET", url, headers=headers)
    address = _public_address(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80))
    target = httpx.URL(url).copy_with(host=address)
    name = httpx.URL(url).netloc.decode("ascii")
    return client.build_request("GET", target, headers={**headers, "Host": name}, extensions={"sni_hostname": parts.hostname})


def _public_address(host: str, port: int) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreadable(f"{host} is not known to the name service") from error
    for *_, address in found:
        if is_public(str(address[0])):
            return str(address[0])
    raise Unreadable(f"{host} has a private address; IATI_FETCH_ALLOW_PRIVATE=true allows it")


def is_public(address: str) -> bool:
    """Whether an address belongs to the public internet, also where it carries an IPv4 address inside."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        carried = parsed.ipv4_mapped or parsed.sixtofour
        if carried is None and parsed in ipaddress.ip_network("64:ff9b::/96"):
            carried = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(str(carried))
    return parsed.is_global and not parsed.is_multicast


def _body(response: httpx.Response, url: str, deadline: float) -> bytes:
    chunks: list[bytes] = []
    size = 0
    for chunk in response.iter_bytes():
        size += len(chunk)
        if size > SIZE_MAXIMUM:
            raise Unreadable(f"{url} is larger than {SIZE_MAXIMUM // 10**6} MB")
        if time.monotonic() > deadline:
            raise Unreadable(f"{url} took longer than {SECONDS_MAXIMUM} seconds")
        chunks.append(chunk)
    return b"".join(chunks)
