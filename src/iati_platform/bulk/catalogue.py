"""The error catalogue: the eight published error types, our finer causes, and curl's codes mapped onto both.

Source: behaviour of the peer as specified (§3.4). The order of the tests matters there (TLS, connect timeout, redirects, then any
connection error); curl reports one code per failure, so here the order is the table's.
"""

from __future__ import annotations

from enum import StrEnum

import pycurl


class ErrorType(StrEnum):
    """`error_type` of the published indices. Closed set: clients group by it."""

    HTTP_NON_200 = "http_non_200"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    OTHER_ERROR = "other_error"
    SSL_ERROR = "ssl_error"
    CONNECTION_TIMEOUT = "connection_timeout"
    CONNECTION_ERROR = "connection_error"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    NOT_IATI_CONTENT = "not_iati_content"


class Cause(StrEnum):
    """Why, more finely than the catalogue: decides back-off and the words a publisher reads."""

    STATUS = "status"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect-timeout"
    REDIRECTS = "redirects"
    BAD_REDIRECT = "bad-redirect"
    DNS = "dns"
    REFUSED = "refused"
    RESET = "reset"
    PRIVATE_ADDRESS = "private-address"
    TOO_SLOW = "too-slow"
    DEADLINE = "deadline"
    TOO_LARGE = "too-large"
    EXPANDS = "expands"
    TRUNCATED = "truncated"
    UNDECODABLE = "undecodable"
    PROTOCOL = "protocol"
    NO_URL = "no-url"
    BAD_URL = "bad-url"
    OUTSIDE_FOLDER = "outside-folder"
    UNREADABLE = "unreadable"
    # What was received instead of IATI (§13.6)
    HTML = "html"
    PDF = "pdf"
    EMPTY = "empty"
    ZIP = "zip"
    GZIP = "gzip"
    JSON = "json"
    OTHER_XML = "other-xml"
    TEXT = "text"
    BINARY = "binary"


CERTIFICATE_CODES = frozenset({pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_ISSUER_ERROR, pycurl.E_SSL_INVALIDCERTSTATUS})
"""A certificate that does not verify: these, and only these, are tried once more without verification."""

RETRY_CODES = frozenset(
    {
        pycurl.E_COULDNT_RESOLVE_HOST,
        pycurl.E_COULDNT_CONNECT,
        pycurl.E_GOT_NOTHING,
        pycurl.E_SEND_ERROR,
        pycurl.E_RECV_ERROR,
        pycurl.E_HTTP2,
    }
)
"""Connection-level failures that a second attempt often cures."""

_TLS_CODES = (
    *CERTIFICATE_CODES,
    pycurl.E_SSL_CONNECT_ERROR,
    pycurl.E_SSL_CERTPROBLEM,
    pycurl.E_SSL_CIPHER,
    pycurl.E_USE_SSL_FAILED,
    pycurl.E_SSL_ENGINE_INITFAILED,
    pycurl.E_SSL_SHUTDOWN_FAILED,
)
_TLS = (ErrorType.SSL_ERROR, Cause.TLS, "A secure connection could not be set up.")

CURL_FAILURES: dict[int, tuple[ErrorType, Cause, str]] = {
    **dict.fromkeys(_TLS_CODES, _TLS),
    pycurl.E_TOO_MANY_REDIRECTS: (ErrorType.TOO_MANY_REDIRECTS, Cause.REDIRECTS, "The address redirects too many times."),
    pycurl.E_COULDNT_RESOLVE_HOST: (ErrorType.CONNECTION_ERROR, Cause.DNS, "The host name could not be found."),
    pycurl.E_COULDNT_CONNECT: (ErrorType.CONNECTION_ERROR, Cause.REFUSED, "The server did not accept a connection."),
    pycurl.E_GOT_NOTHING: (ErrorType.CONNECTION_ERROR, Cause.RESET, "The server closed the connection without an answer."),
    pycurl.E_SEND_ERROR: (ErrorType.CONNECTION_ERROR, Cause.RESET, "The connection broke while asking."),
    pycurl.E_RECV_ERROR: (ErrorType.CONNECTION_ERROR, Cause.RESET, "The connection broke while receiving."),
    pycurl.E_HTTP2: (ErrorType.CONNECTION_ERROR, Cause.RESET, "The connection broke while receiving."),
    pycurl.E_FILESIZE_EXCEEDED: (ErrorType.OTHER_ERROR, Cause.TOO_LARGE, "The file is larger than this service accepts."),
    pycurl.E_PARTIAL_FILE: (ErrorType.OTHER_ERROR, Cause.TRUNCATED, "The server stopped before the file was complete."),
    pycurl.E_BAD_CONTENT_ENCODING: (ErrorType.OTHER_ERROR, Cause.UNDECODABLE, "The compressed answer could not be unpacked."),
    pycurl.E_URL_MALFORMAT: (ErrorType.OTHER_ERROR, Cause.BAD_URL, "The address is not a usable web address."),
    pycurl.E_UNSUPPORTED_PROTOCOL: (ErrorType.OTHER_ERROR, Cause.BAD_URL, "Only http and https addresses can be fetched."),
}


def curl_failure(code: int, *, connected: bool, deadline: bool) -> tuple[ErrorType, Cause, str]:
    """Type, cause and a sentence for a curl code.

    curl has one code for every kind of timeout: `connected` tells a connect timeout from a stalled transfer, `deadline` a transfer
    that used up its total time from one that was too slow.
    """
    if code == pycurl.E_OPERATION_TIMEDOUT:
        if not connected:
            return ErrorType.CONNECTION_TIMEOUT, Cause.CONNECT_TIMEOUT, "The server could not be reached in time."
        if deadline:
            return ErrorType.CONNECTION_ERROR, Cause.DEADLINE, "The download took longer than this service waits."
        return ErrorType.CONNECTION_ERROR, Cause.TOO_SLOW, "The server answered too slowly."
    return CURL_FAILURES.get(code, (ErrorType.OTHER_ERROR, Cause.PROTOCOL, "The server's answer could not be read."))


def head_error_type(error: ErrorType, status: int | None) -> ErrorType:
    """The type a HEAD attempt reports where a GET reports `error`: 405 has its own, any other status is `other_error`."""
    if error is ErrorType.HTTP_NON_200:
        return ErrorType.METHOD_NOT_ALLOWED if status == 405 else ErrorType.OTHER_ERROR
    return error
