"""A real HTTP server on loopback that behaves as badly as publishers' servers do, one path per kind of trouble."""

from __future__ import annotations

import collections
import datetime
import gzip
import http.server
import ipaddress
import socket
import socketserver
import ssl
import struct
import threading
import time
import zlib
from pathlib import Path
from typing import ClassVar
from urllib.parse import unquote

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

IATI = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<iati-activities version="2.03" generated-datetime="2026-01-01T00:00:00Z">\n</iati-activities>\n'
)
MODIFIED = "Mon, 02 Mar 2026 10:00:00 GMT"


class Handler(http.server.BaseHTTPRequestHandler):
    """`do_GET` looks the path up among the methods below: `/slow` is `slow`."""

    protocol_version = "HTTP/1.1"
    bodies: ClassVar[dict[str, bytes]] = {}

    def log_message(self, *args: object) -> None:
        pass

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None, length: int | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        path, _, argument = self.path.lstrip("/").partition("/")
        with server.lock:
            server.requests[f"/{path}"] += 1
            server.seen.append(dict(self.headers))
            server.open_now += 1
            server.open_most = max(server.open_most, server.open_now)
        try:
            getattr(self, path.replace("-", "_"), self.missing)(argument)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with server.lock:
                server.open_now -= 1

    def missing(self, argument: str) -> None:
        self.answer(404, b"no such file", {"X-Told": "yes", "Set-Cookie": "secret=1"})

    def good(self, argument: str) -> None:
        if self.headers.get("If-None-Match") == '"v1"' or self.headers.get("If-Modified-Since") == MODIFIED:
            self.answer(304, headers={"ETag": '"v1"'})
        else:
            self.answer(200, IATI, {"ETag": '"v1"', "Last-Modified": MODIFIED, "Content-Type": "application/xml"})

    def plain(self, argument: str) -> None:
        time.sleep(0.05)
        self.answer(200, IATI)

    def stubborn(self, argument: str) -> None:
        """Answers 200 with the same validators, whatever was asked."""
        self.answer(200, IATI + b" " * 300_000, {"ETag": '"s1"'})

    def named(self, argument: str) -> None:
        self.answer(200, self.bodies[argument])

    def status(self, argument: str) -> None:
        self.answer(int(argument), b"on purpose", {"Retry-After": "120"} if argument in ("429", "503") else {})

    def not_modified(self, argument: str) -> None:
        self.answer(304)

    def redirect(self, argument: str) -> None:
        left = int(argument)
        self.answer(302, b"moved", {"Location": f"/redirect/{left - 1}" if left else "/good"})

    def loop(self, argument: str) -> None:
        self.answer(301, headers={"Location": "/loop"})

    def cookie_loop(self, argument: str) -> None:
        if "seen=1" in self.headers.get("Cookie", ""):
            self.answer(200, IATI)
        else:
            self.answer(302, headers={"Location": "/cookie-loop", "Set-Cookie": "seen=1"})

    def elsewhere(self, argument: str) -> None:
        self.answer(302, headers={"Location": unquote(argument).replace("_", "/")})

    def closed(self, argument: str) -> None:
        self.answer(200, IATI[:50], length=len(IATI))
        self.close_connection = True

    def reset(self, argument: str) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def silent(self, argument: str) -> None:
        self.close_connection = True

    def flaky(self, argument: str) -> None:
        server = self.server
        assert isinstance(server, Server)
        if server.requests["/flaky"] < 3:
            self.close_connection = True
        else:
            self.answer(200, IATI)

    def drip(self, argument: str) -> None:
        self.answer(200, b"<", length=1000)
        for _ in range(100):
            time.sleep(0.1)
            self.wfile.write(b"i")

    def stalled(self, argument: str) -> None:
        time.sleep(8)
        self.close_connection = True

    def endless(self, argument: str) -> None:
        """Never says how long it is, and never ends."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(IATI[:-20])
        while True:
            self.wfile.write(b"<iati-activity/>" * 4096)

    def huge(self, argument: str) -> None:
        self.answer(200, b"<iati-activities>", length=10_000_000_000)
        self.close_connection = True

    def zipped_reply(self, argument: str) -> None:
        self.answer(200, gzip.compress(IATI), {"Content-Encoding": "gzip"})

    def bad_gzip(self, argument: str) -> None:
        self.answer(200, b"this is not gzip at all", {"Content-Encoding": "gzip"})

    def bomb(self, argument: str) -> None:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        packed = packer.compress(b"<iati-activities>") + b"".join(packer.compress(b" " * 1_000_000) for _ in range(64)) + packer.flush()
        if argument == "chunked":
            self.send_response(200)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(packed), packed))
        else:
            self.answer(200, packed, {"Content-Encoding": "gzip"})

    def large_page(self, argument: str) -> None:
        """A web page without end: nothing that should be downloaded for long."""
        self.answer(200, b"<!DOCTYPE html><html>" + b"<p>hello</p>" * 200_000)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Counts requests per path and the most that were open at once."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.requests: collections.Counter[str] = collections.Counter()
        self.seen: list[dict[str, str]] = []
        self.open_now = self.open_most = 0
        self.scheme = "http"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, path: str) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up is what these tests are about."""

    def stop(self) -> None:
        self.shutdown()
        self.server_close()


def self_signed(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody vouches for, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path
