"""States in plain words: what happened, why, and what to do next. Tables, so that every state has its words and none is forgotten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from iati_platform.web.cells import State, Tone


@dataclass(frozen=True)
class Trouble:
    """One kind of failed download: `word` for lists, `what` happened, and `advice` for the publisher."""

    word: str
    what: str
    advice: str


_SERVER = "Ask whoever runs the web server, or register another address."
BY_CAUSE: dict[str, Trouble] = {
    "status": Trouble(
        "Server refused", "The server answered, but not with the file.", "Open the address in a browser: it must give the file."
    ),
    "tls": Trouble(
        "No secure connection", "A secure connection could not be set up.", "Renew the certificate or allow current TLS versions."
    ),
    "connect-timeout": Trouble(
        "Server silent", "The server could not be reached in time.", "Check that the server is up and not behind a firewall."
    ),
    "redirects": Trouble(
        "Endless redirects", "The address leads from one redirect to the next.", "Register the address where the file really is."
    ),
    "bad-redirect": Trouble(
        "Broken redirect", "The server redirects to an address that cannot be used.", "Register the address where the file really is."
    ),
    "dns": Trouble("Host not found", "No server is known under this host name.", "Check the spelling of the address, or renew the domain."),
    "refused": Trouble("Connection refused", "The server did not accept a connection.", _SERVER),
    "reset": Trouble("Connection broke", "The connection ended before the file had arrived.", _SERVER),
    "private-address": Trouble(
        "Address not public",
        "The address belongs to a private network, which is never fetched.",
        "Publish the file on a public web server.",
    ),
    "too-slow": Trouble("Server too slow", "The server sent too little for too long.", _SERVER),
    "deadline": Trouble(
        "Download too long", "The download took longer than is allowed.", "Make the file smaller, split it, or use a faster server."
    ),
    "too-large": Trouble("File too large", "The file is larger than this platform accepts.", "Split it into several datasets."),
    "expands": Trouble("Suspicious compression", "The file expands to many times its size, as attacks do.", "Publish the plain XML file."),
    "truncated": Trouble("File incomplete", "The server stopped before the file was complete.", _SERVER),
    "undecodable": Trouble("Cannot be unpacked", "The compressed answer could not be unpacked.", _SERVER),
    "protocol": Trouble("Answer not readable", "The server's answer does not follow the rules of the web.", _SERVER),
    "no-url": Trouble("No address", "No address is registered for this dataset.", "Register the address of the file."),
    "bad-url": Trouble(
        "Address not usable", "The registered address is not a web address.", "Register an address that starts with https://."
    ),
    "outside-folder": Trouble(
        "Path not allowed", "The registered path leads out of the source folder.", "Correct the path in registry.json."
    ),
    "unreadable": Trouble("Cannot be read", "The file is in the source folder but could not be opened.", "Check the rights of the file."),
    "html": Trouble(
        "A web page, no data", "The address gives a web page instead of an IATI file.", "Register the address of the XML file itself."
    ),
    "pdf": Trouble("A PDF, no data", "The address gives a PDF document instead of an IATI file.", "Register the address of the XML file."),
    "empty": Trouble("Empty file", "The file has no content.", "Export the data again and publish the complete file."),
    "zip": Trouble("A ZIP archive", "The address gives a ZIP archive; only plain XML is taken.", "Unpack it and publish the XML file."),
    "gzip": Trouble(
        "A gzip archive", "The address gives a compressed file; only plain XML is taken.", "Unpack it and publish the XML file."
    ),
    "json": Trouble("JSON, no IATI XML", "The address gives JSON instead of an IATI file.", "Register the address of the XML file."),
    "other-xml": Trouble(
        "Other XML", "The file is XML, but not an IATI file.", "Its first element must be iati-activities or iati-organisations."
    ),
    "text": Trouble("Text, no data", "The address gives plain text instead of an IATI file.", "Register the address of the XML file."),
    "binary": Trouble("No IATI file", "The address gives something that is not text.", "Register the address of the XML file."),
}
BY_TYPE: dict[str, Trouble] = {
    "http_non_200": BY_CAUSE["status"],
    "method_not_allowed": BY_CAUSE["status"],
    "ssl_error": BY_CAUSE["tls"],
    "connection_timeout": BY_CAUSE["connect-timeout"],
    "connection_error": Trouble("Connection failed", "The server could not be reached, or the connection broke.", _SERVER),
    "too_many_redirects": BY_CAUSE["redirects"],
    "not_iati_content": Trouble(
        "No IATI file", "The address gives something else than an IATI file.", "Register the address of the XML file."
    ),
    "other_error": Trouble("Download failed", "The file could not be fetched.", "The technical details below say more."),
}
"""Used when no finer cause is known. Keys are the `error_type` values of the published indices."""

STATUS_WORDS: dict[int, str] = {
    301: "moved",
    302: "moved",
    304: "unchanged although nothing is held",
    400: "bad request",
    401: "a password is wanted",
    403: "access is forbidden",
    404: "there is no such file",
    405: "method not allowed",
    406: "not in this form",
    410: "the file is gone",
    418: "it is a teapot",
    429: "too many requests",
    451: "withheld for legal reasons",
    500: "the server has an internal error",
    502: "a server behind it does not answer",
    503: "the service is not available",
    504: "a server behind it is too slow",
    520: "the server has an unknown error",
}
KINDS = {
    "activity": "Activity file",
    "organisation": "Organisation file",
    "iati-activities": "Activity file",
    "iati-organisations": "Organisation file",
}
SEVERITIES: dict[str, State] = {
    "critical": State(Tone.BAD, "Critical", code="critical"),
    "error": State(Tone.WARN, "Error", code="error"),
    "warning": State(Tone.INFO, "Warning", code="warning"),
    "advisory": State(Tone.IDLE, "Advisory", code="advisory"),
}
CATEGORIES: dict[str, str] = {
    "schema": "Schema",
    "information": "Basic activity information",
    "financial": "Financial",
    "identifiers": "Identification",
    "organisation": "Basic organisation information",
    "participating": "Participating organisations",
    "geo": "Places",
    "classifications": "Classifications",
    "documents": "Related documents",
    "performance": "Results",
    "iati": "IATI file",
    "relations": "Relations",
}
EVENTS: dict[str, tuple[Tone, str]] = {
    "first_seen": (Tone.INFO, "First seen in the registry"),
    "first_copy": (Tone.GOOD, "Downloaded"),
    "content_changed": (Tone.GOOD, "Content changed"),
    "timestamp_changed": (Tone.IDLE, "Generated again without changes"),
    "error_started": (Tone.BAD, "Download began to fail"),
    "error_changed": (Tone.BAD, "Download fails for another reason"),
    "error_ended": (Tone.GOOD, "Download works again"),
    "expired": (Tone.WARN, "Last good copy expired"),
    "renamed": (Tone.INFO, "Renamed"),
    "removed": (Tone.WARN, "Left the registry"),
    "restored": (Tone.GOOD, "Back in the registry"),
}


def trouble(error_type: str, cause: str | None) -> Trouble:
    """Words for a failure: by cause where it is known, else by the published type."""
    return BY_CAUSE.get(cause or "") or BY_TYPE.get(error_type) or BY_TYPE["other_error"]


def download_state(*, checked: bool, error_type: str | None, cause: str | None, has_copy: bool) -> State:
    """The badge of a dataset in lists; `code` is what JSON and CSV say: ok, stale, error:<type> or unchecked."""
    if error_type:
        word = trouble(error_type, cause).word
        if has_copy:
            return State(Tone.WARN, "Last good copy", word.lower(), f"stale:{error_type}")
        return State(Tone.BAD, word, code=f"error:{error_type}")
    if has_copy:
        return State(Tone.GOOD, "Downloaded", code="ok")
    return State(Tone.IDLE, "Not fetched yet" if not checked else "No copy", code="unchecked")


def validity_state(processed: str | None, header: Mapping[str, Any]) -> State:
    """The badge of a validation: the worst thing found, with its number.

    `processed` is the process step's state (`ok`, `failed`, `poison`; None: not in the generation), `header` what it found.
    """
    if processed in ("failed", "poison"):
        return State(Tone.BAD, "Not processed", code="failed")
    if not header:
        return State(Tone.IDLE, "Not validated", code="none")
    summary = header.get("summary") or {}
    if not header.get("readable"):
        return State(Tone.BAD, "Not readable", code="unreadable")
    for severity in ("critical", "error", "warning"):
        count = int(summary.get(severity) or 0)
        if count:
            base = SEVERITIES[severity]
            plural = "s" if count != 1 and severity != "critical" else ""
            return State(base.tone, f"{count:,} {base.word.lower()}{plural}", code=severity)
    return State(Tone.GOOD, "Valid", code="valid")
