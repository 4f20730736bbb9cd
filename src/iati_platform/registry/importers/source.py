"""What a SOURCE is (interfaces.md, "SOURCE"): the text a person types, understood and made canonical."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

DOCUMENT_NAME = "registry.json"
SPEC_MAXIMUM = 2000
_LATER = {
    "bulk": "a Bulk Data Service",
    "ckan": "a CKAN registry",
    "dashboard": "a Dashboard",
    "csv": "a registry CSV",
}


class SourceError(Exception):
    """The SOURCE is not understood or cannot be read; the message says what to do."""


class SourceForm(StrEnum):
    """How a source is read."""

    FOLDER = "folder"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source in canonical form: `text` is an absolute folder path or a URL, and what is remembered."""

    form: SourceForm
    text: str


def parse_source(text: str) -> SourceSpec:
    """Understand a SOURCE. Relative folders become absolute. Reads nothing; raises `SourceError`."""
    text = text.strip()
    if len(text) > SPEC_MAXIMUM:
        raise SourceError(f"{text[:60]}…: a source is at most {SPEC_MAXIMUM} characters long")
    scheme = re.match(r"([a-z][a-z0-9+.-]*):", text)
    if scheme is None:
        return _folder(text)
    if scheme[1] in ("http", "https"):
        return _document(text)
    if scheme[1] == "file":
        raise SourceError(f"{text}: write a folder as a plain path, such as ./corpus")
    if scheme[1] in _LATER:
        raise SourceError(
            f"{text}: {_LATER[scheme[1]]} cannot be read yet, this arrives with mirroring; "
            f"use a folder that holds {DOCUMENT_NAME} or http(s)://…/{DOCUMENT_NAME}"
        )
    if Path(text).exists():
        return _folder(text)  # a folder may have a colon in its name
    raise SourceError(f"{text}: not a source; use a folder that holds {DOCUMENT_NAME} or http(s)://…/{DOCUMENT_NAME}")


def folder_of(spec: str | None) -> Path | None:
    """The folder a remembered source reads files from; None when its datasets are fetched over HTTP."""
    if spec is None or re.match(r"https?://", spec):
        return None
    return Path(spec)


def _folder(text: str) -> SourceSpec:
    if not text or "\0" in text:
        raise SourceError("an empty source: name a folder or a URL")
    path = Path(text).expanduser()
    if path.name == DOCUMENT_NAME and path.is_file():
        path = path.parent
    return SourceSpec(SourceForm.FOLDER, str(path.resolve()))


def _document(text: str) -> SourceSpec:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise SourceError(f"{text}: not a URL ({error})") from error
    if not parts.hostname or re.search(r"[\s\x00-\x1f]", text):
        raise SourceError(f"{text}: not a URL such as https://registry.example.org/{DOCUMENT_NAME}")
    if parts.username is not None:
        raise SourceError(f"{parts.scheme}://…@{parts.hostname}: a source is remembered and shown, so it cannot hold a password")
    return SourceSpec(SourceForm.DOCUMENT, parts._replace(fragment="").geturl())
