import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine

from iati_platform.registry import service
from iati_platform.registry.importers import SourceError, Tally, import_remembered, import_source, parse_source, registry_json
from iati_platform.registry.importers.registry_json import Unreadable, is_public, read_document
from iati_platform.storage.database import reading
from tests.registry.documents import simple


class Site(BaseHTTPRequestHandler):
    """A web server with a registry and several ways to go wrong."""

    document = b""
    hosts: list[str]

    def log_message(self, *arguments: object) -> None:
        pass

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        path = self.path.split("?")[0]
        if path == "/registry.json":
            self._answer(200, self.document)
        elif path == "/gzip/registry.json":
            self._answer(200, gzip.compress(self.document), Content_Encoding="gzip")
        elif path == "/moved/registry.json":
            self._answer(302, Location="/registry.json")
        elif path == "/circle/registry.json":
            self._answer(302, Location="/circle/registry.json")
        elif path == "/file/registry.json":
            self._answer(302, Location="file:///etc/passwd")
        else:
            self._answer(404)

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def site() -> Iterator[tuple[str, type[Site]]]:
    handler = type("Handler", (Site,), {"document": json.dumps(simple(3)).encode(), "hosts": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", handler
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_document_is_imported_over_http_and_read_again(database: Engine, site: tuple[str, type[Site]]) -> None:
    address, handler = site
    result = import_source(database, f"{address}/registry.json", allow_private=True)
    assert (result.datasets, result.refused) == (Tally(added=3), None)
    handler.document = json.dumps(simple(4)).encode()
    (result,) = import_remembered(database, allow_private=True)
    assert result.datasets == Tally(added=1, unchanged=3)
    with reading(database) as session:
        found = service.dataset(session, "acme-0")
        assert found.source_spec == f"{address}/registry.json"
        assert service.local_file(found) is None


@pytest.mark.parametrize("path", ["gzip", "moved"])
def test_compressed_and_moved_documents_are_read(site: tuple[str, type[Site]], path: str) -> None:
    assert len(read_document(parse_source(f"{site[0]}/{path}/registry.json"), allow_private=True).datasets) == 3


def test_a_server_that_fails_later_changes_nothing(database: Engine, site: tuple[str, type[Site]]) -> None:
    address, handler = site
    source = f"{address}/registry.json"
    import_source(database, source, allow_private=True)
    handler.document = b"<html>maintenance</html>"
    (result,) = import_remembered(database, allow_private=True)
    assert result.refused == f"{source}: registry.json is not JSON (line 1, column 1)"
    with reading(database) as session:
        assert service.counts(session) == service.Counts(organisations=1, publishing_organisations=1, datasets=3)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none/registry.json", "{url} answered 404 Not Found"),
        ("circle/registry.json", "{url} redirects more than 5 times"),
        ("file/registry.json", "file:///etc/passwd is not an address of the web"),
    ],
)
def test_what_cannot_be_had_is_said_with_its_reason(site: tuple[str, type[Site]], path: str, message: str) -> None:
    url = f"{site[0]}/{path}"
    with pytest.raises(Unreadable) as caught:
        read_document(parse_source(url), allow_private=True)
    assert str(caught.value) == message.format(url=url)


def test_a_document_that_is_too_large_is_not_read_to_its_end(site: tuple[str, type[Site]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_json, "SIZE_MAXIMUM", 1000)
    for path in ("registry.json", "gzip/registry.json"):
        with pytest.raises(Unreadable, match="is larger than"):
            read_document(parse_source(f"{site[0]}/{path}"), allow_private=True)


def test_a_dead_server_is_an_error_of_one_line(site: tuple[str, type[Site]]) -> None:
    with pytest.raises(SourceError, match=r"^http://127\.0\.0\.1:1/registry\.json cannot be fetched \(.*\)$"):
        read_document(parse_source("http://127.0.0.1:1/registry.json"), allow_private=True)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254", "0x7f.1", "2130706433"]
)
def test_private_addresses_are_refused_unless_allowed(host: str) -> None:
    with pytest.raises(
        Unreadable, match=r"has a private address; IATI_FETCH_ALLOW_PRIVATE=true allows it|is not known to the name service"
    ):
        read_document(parse_source(f"http://{host}:1/registry.json"))


def test_a_checked_address_is_the_one_connected_to_under_the_old_name(
    site: tuple[str, type[Site]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry_json, "is_public", lambda address: address == "127.0.0.1")
    address, handler = site
    port = address.rpartition(":")[2]
    assert len(read_document(parse_source(f"http://localhost:{port}/registry.json")).datasets) == 3
    assert handler.hosts == [f"localhost:{port}"]


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("::ffff:93.184.216.34", True),
        ("64:ff9b::5db8:d822", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("100.64.0.1", False),
        ("169.254.1.1", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fc00::1", False),
        ("ff02::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
    ],
)
def test_which_addresses_are_public(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_a_folder_with_a_huge_document_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry_json, "SIZE_MAXIMUM", 10)
    (tmp_path / "registry.json").write_bytes(b" " * 11)
    with pytest.raises(Unreadable, match="is larger than"):
        read_document(parse_source(str(tmp_path)))
