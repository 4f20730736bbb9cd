"""Judges single records of a registry document: record in, row values out, or the reason why not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from iati_platform import standard
from iati_platform.registry import names

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # NUL above all: PostgreSQL cannot store it
_URL_MAXIMUM = 4096
_TEXT_MAXIMUM = 4000
FILE_TYPES = ("activity", "organisation")
SOURCE_TYPES = {
    "primary_source": "primary_source",
    "primary-source": "primary_source",
    "secondary_source": "secondary_source",
    "secondary-source": "secondary_source",
}


class Rejected(Exception):
    """The record cannot be taken over; the text says why."""


class Unknown(Exception):
    """A coded value is on no list: it is left empty, the record is kept (bulk-data-service.md §2.1)."""


Values = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of record: its name and its fields in the order of `Values`."""

    name: str
    fields: Mapping[str, Callable[[object], object]]

    def check(self, record: Mapping[str, object]) -> tuple[Values, list[str]]:
        """The values of a record and remarks on those left empty. Raises `Rejected`."""
        values: list[object] = []
        remarks: list[str] = []
        for field, parse in self.fields.items():
            try:
                values.append(parse(record.get(field)))
            except Unknown as unknown:
                values.append(None)
                remarks.append(f"{field} {unknown}")
            except Rejected as rejected:
                raise Rejected(f"{field} {rejected}") from None
        return tuple(values), remarks


def record_id(record: object) -> str | None:
    """The UUID of a record in canonical form; None when it has none."""
    value = record.get("id") if isinstance(record, dict) else None
    if isinstance(value, str):
        if _UUID.fullmatch(value):
            return value
        lower = value.strip().lower()
        if _UUID.fullmatch(lower):
            return lower
    return None


def _text(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise Rejected("is not a text")
    text = value.strip()
    if _CONTROL.search(text):
        raise Rejected("holds control characters")
    if len(text) > _TEXT_MAXIMUM:
        raise Rejected(f"is longer than {_TEXT_MAXIMUM} characters")
    return text or None


def _required(value: object) -> str:
    text = _text(value)
    if text is None:
        raise Rejected("is missing")
    return text


def _short_name(value: object) -> str:
    text = _required(value)
    if not names.is_short_name(text):
        raise Rejected(f"{text[:120]!r} is not made of {names.SHORT_NAME_RULE}")
    return text


def _uuid(value: object) -> str:
    found = record_id({"id": value})
    if found is None:
        raise Rejected("is not a UUID")
    return found


def _url(value: object) -> str | None:
    """Any text: a URL that cannot be fetched is a state of the dataset people must see, not a reason to hide it."""
    text = _text(value)
    if text is not None and len(text) > _URL_MAXIMUM:
        raise Rejected(f"is longer than {_URL_MAXIMUM} characters")
    return text


def _path(value: object) -> str | None:
    text = _text(value)
    if text is None:
        return None
    if text.startswith(("/", "~")) or "\\" in text or re.match(r"[A-Za-z]:", text) or ".." in text.split("/"):
        raise Rejected(f"{text[:120]!r} leads out of the folder")
    return text


def _file_type(value: object) -> str:
    text = _required(value)
    if text not in FILE_TYPES:
        raise Rejected(f"is neither {' nor '.join(FILE_TYPES)}")
    return text


def _coded(pattern: str) -> Callable[[object], str | None]:
    shape = re.compile(pattern)

    def parse(value: object) -> str | None:
        text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ("" if value is None else "?")
        if not text:
            return None
        if not shape.fullmatch(text):
            raise Unknown(f"{text[:80]!r} is not a code")
        return text

    return parse


def _on_codelist(name: str) -> Callable[[object], str | None]:
    """A code of a codelist of the newest version, withdrawn ones included."""
    shape = _coded(r"[A-Za-z0-9-]{1,20}")

    def parse(value: object) -> str | None:
        code = shape(value)
        if code is not None and code not in standard.codelist(standard.VERSIONS[-1], name).codes:
            raise Unknown(f"{code!r} is not on the codelist {name}")
        return code

    return parse


def _source_type(value: object) -> str | None:
    if value is None or value == "":
        return None
    if not isinstance(value, str) or value not in SOURCE_TYPES:
        raise Unknown("is neither primary_source nor secondary_source")
    return SOURCE_TYPES[value]


def _moment(value: object) -> datetime | None:
    """A date or date and time; without a zone it is UTC."""
    if value is None or value == "":
        return None
    try:
        moment = datetime.fromisoformat(str(value).strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Unknown(f"{str(value)[:40]!r} is not a date") from None


def _licence(value: object) -> str | None:
    code = _coded(r"[A-Za-z0-9._-]{1,100}")(value)
    if code is not None and code not in standard.licences():
        raise Unknown(f"{code!r} is not a licence id")
    return code


ORGANISATION = Kind(
    "organisation",
    {
        "short_name": _short_name,
        "human_readable_name": _required,
        "organisation_identifier": _text,
        "organisation_type": _on_codelist("OrganisationType"),
        "hq_country": _on_codelist("Country"),
        "default_licence_id": _licence,
        "reporting_source_type": _source_type,
        "created_date": _moment,
        "website": _url,
        "description": _text,
        "region": _on_codelist("Region"),
        "data_portal_url": _url,
        "exclusions_policy_url": _url,
        "first_publication_date": _moment,
    },
)
DATASET = Kind(
    "dataset",
    {
        "short_name": _short_name,
        "reporting_org_id": _uuid,
        "file_type": _file_type,
        "url": _url,
        "path": _path,
        "licence_id": _licence,
    },
)
