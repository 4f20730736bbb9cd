"""One dataset: its registration, whether it can be downloaded, what the validator says, what is in it, and what happened to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from iati_platform.bulk.events import CheckEvent
from iati_platform.bulk.service import CheckState
from iati_platform.registry.records import Dataset, Event
from iati_platform.web import formats
from iati_platform.web.cells import Cell, Code, Link, OutLink, Size, State, Tone
from iati_platform.web.parts import Change, Fact, Figure, FindingView, Happening, Notice
from iati_platform.web.tables import Column, Order, Table

from .. import words
from ..catalogue import DatasetEntry
from . import lists

ACTIVITY_COLUMNS = (
    Column("number", "No.", numeric=True),
    Column("identifier", "Identifier"),
    Column("title", "Title", wide=True),
    Column("status", "Status"),
    Column("in_datastore", "In the Datastore"),
)
REGISTRY_EVENTS = {
    "registered": (Tone.INFO, "Registered"),
    "changed": (Tone.INFO, "Registration changed"),
    "returned": (Tone.GOOD, "Back in the registry"),
    "gone": (Tone.WARN, "Left the registry"),
    "removed": (Tone.WARN, "Removed on request"),
    "allowed": (Tone.INFO, "Allowed again"),
}
HISTORY_LENGTH = 50


@dataclass(frozen=True)
class ActivityRow:
    """One activity (or organisation) of a file; `held_back` says in words why it is not in the Datastore, empty when it is."""

    number: int
    identifier: str
    title: str
    status: str
    held_back: str


@dataclass(frozen=True)
class DatasetView:
    """Everything of the dataset page."""

    short_name: str
    organisation: Link
    kind: str
    download: State
    validity: State
    notices: Sequence[Notice]
    figures: Sequence[Figure]
    registration: Sequence[Fact]
    copy: Sequence[Fact]
    """The download: checks and the last good copy."""
    attempt: Sequence[Fact]
    """Technical details of the failed attempt; empty when all is well."""
    files: Sequence[Link]
    findings: Sequence[FindingView]
    report_href: str
    findings_total: int
    contents: Table | None
    history: Sequence[Happening]


def dataset(
    entry: DatasetEntry,
    check: CheckState | None,
    *,
    findings: Sequence[FindingView],
    summary: Mapping[str, int] | None,
    contents: Table | None,
    history: Sequence[Happening],
    systems: frozenset[str],
) -> DatasetView:
    one, header = entry.registered, entry.header
    path = lists.dataset_href(one.short_name)
    found = summary if summary is not None else header.get("summary") or {}
    held = (entry.activities or 0) - (entry.admitted or 0)
    figures = (
        [Figure("Activities", entry.activities, f"{held:,} held back" if held else "", "#contents")]
        if entry.kind == words.KINDS["activity"]
        else []
    )
    figures += [
        Figure(
            words.SEVERITIES[code].word if code == "critical" else words.SEVERITIES[code].word + "s",
            found.get(code, 0),
            "",
            f"{path}/report?severity={code}",
        )
        for code in ("critical", "error", "warning")
        if header
    ]
    figures += [Figure("Size", Size(entry.size) if entry.size is not None else None), Figure("Version", entry.version)]
    files = []
    if entry.has_copy and "bulk-data" in systems:
        base = f"/bulk-data/{quote(one.reporting_org_short_name, safe='')}/{quote(one.short_name, safe='')}"
        files = [Link("Download XML", f"{base}.xml"), Link("Download ZIP", f"{base}.zip")]
    return DatasetView(
        short_name=one.short_name,
        organisation=Link(one.reporting_org_name, lists.organisation_href(one.reporting_org_short_name)),
        kind=entry.kind,
        download=entry.download,
        validity=entry.validity,
        notices=_notices(entry, check),
        figures=figures if entry.published else [],
        registration=_registration(one),
        copy=_copy(check),
        attempt=_attempt(check),
        files=files,
        findings=findings,
        report_href=f"{path}/report",
        findings_total=sum(found.values()),
        contents=contents,
        history=history,
    )


def _registration(one: Dataset) -> list[Fact]:
    return [
        Fact("Organisation", Link(one.reporting_org_name, lists.organisation_href(one.reporting_org_short_name))),
        Fact("Short name", Code(one.short_name), copy=True),
        Fact("Address of the file", OutLink(one.url) if one.url else None),
        Fact("Kind of file", words.KINDS.get(one.file_type, one.file_type)),
        Fact("Licence", lists.licence_name(one.licence_id)),
        Fact("Identifier of the dataset", Code(one.id)),
        Fact("Here since", one.created_at),
        *([Fact("Registration changed", one.updated_at)] if one.updated_at != one.created_at else []),
    ]


def _copy(check: CheckState | None) -> list[Fact]:
    if check is None:
        return [Fact("Last check", None, "It will be fetched with the next refresh.")]
    facts = [Fact("Last check", check.last_update_check), Fact("Next check", check.next_check_at or "with the next refresh")]
    if check.failing_since:
        facts.append(
            Fact(
                "Failing since",
                check.failing_since,
                f"{check.consecutive_failures:,} attempts in a row" if check.consecutive_failures > 1 else "",
            )
        )
    if check.sha256 is None:
        return [*facts, Fact("Last good copy", None, "No version of this file has ever arrived, or the last one is too old to be kept.")]
    return [
        *facts,
        Fact("Last good copy downloaded", check.downloaded),
        Fact("Confirmed by the server", check.verified_on_server),
        Fact("Content last changed", check.modified_excluding, "not counting the time stamp of its generation"),
        Fact("Size", Size(check.content_length) if check.content_length is not None else None),
        Fact("Character encoding", check.encoding),
        Fact("SHA-1", Code(check.hash) if check.hash else None, copy=True),
        Fact("SHA-1 without generation time", Code(check.hash_excluding) if check.hash_excluding else None),
        *([Fact("Fetched from", OutLink(check.source_url))] if check.source_url else []),
    ]


def _attempt(check: CheckState | None) -> list[Fact]:
    attempt = (check.most_recent_get_attempt if check else None) or {}
    if check is None or check.error_type is None or not attempt.get("error_occurred"):
        return []
    details = attempt.get("error_details") or {}
    status = details.get("http_status")
    url = details.get("source_url")
    return [
        Fact("Attempt", datetime.fromisoformat(attempt["datetime"]) if attempt.get("datetime") else None),
        Fact("Error type", Code(check.error_type)),
        Fact(
            "Answer of the server",
            f"{status} {details.get('http_reason') or words.STATUS_WORDS.get(status, '')}".strip() if status else None,
        ),
        Fact("Message", details.get("detailed_message") or details.get("summary_message")),
        *([Fact("Asked at", OutLink(url))] if url else []),
    ]


def _notices(entry: DatasetEntry, check: CheckState | None) -> list[Notice]:
    notices = []
    if check is not None and check.error_type:
        about = words.trouble(check.error_type, check.error_cause)
        attempt = (check.most_recent_get_attempt or {}).get("error_details") or {}
        status = attempt.get("http_status")
        what = about.what
        if check.error_type == "http_non_200" and status:
            said = words.STATUS_WORDS.get(status, attempt.get("http_reason") or "")
            what = f"The server answered {status}{': ' + said if said else ''}."
        if check.sha256 and check.downloaded:
            notices.append(
                Notice(
                    Tone.WARN,
                    "The last download failed; the last good copy is shown",
                    f"{what} Everything below comes from the copy of {formats.minute(check.downloaded)}. {about.advice}",
                )
            )
        else:
            title = (
                "What the address gives cannot be used" if check.error_type == "not_iati_content" else "This file could not be downloaded"
            )
            notices.append(Notice(Tone.BAD, title, f"{what} {about.advice}"))
    elif check is None or check.last_update_check is None:
        notices.append(
            Notice(
                Tone.BUSY, "This dataset has not been fetched yet", "It was registered recently. The next refresh will fetch and check it."
            )
        )
    if check is not None and check.tls_problem:
        notices.append(
            Notice(
                Tone.WARN,
                "The server's certificate is not in order",
                f"The file was taken all the same. The reason given: {check.tls_problem}",
            )
        )
    notices += _content_notices(entry)
    return notices


def _content_notices(entry: DatasetEntry) -> list[Notice]:
    published, header = entry.published, entry.header
    state = published.get("state")
    if entry.has_copy and not published:
        return [Notice(Tone.BUSY, "The copy is here, its contents are not yet", "They appear with the next published generation.")]
    if state == "poison":
        return [
            Notice(
                Tone.BAD, "This file could not be processed",
                "Processing it ended the worker every time it was tried, so it was set aside. The file itself can still be downloaded.",
            )
        ]  # fmt: skip
    if state == "failed":
        return [
            Notice(
                Tone.BAD,
                "This file could not be processed",
                "The operator finds the reason in the log. The file itself can still be downloaded.",
            )
        ]
    notices = []
    if header and not header.get("readable"):
        problems = [str(problem) for problem in header.get("problems") or []]
        earlier = published.get("indexed") and published.get("indexed") != published.get("content")
        notices.append(
            Notice(
                Tone.BAD,
                "This file cannot be read as IATI data",
                " ".join(
                    (
                        problems[0] if problems else "It holds no activity and no organisation.",
                        "Search and statistics keep the version before it." if earlier else "",
                    )
                ).strip(),
            )
        )
    elif str(header.get("version") or "").startswith("1."):
        notices.append(
            Notice(
                Tone.INFO,
                f"This file uses version {header['version']} of the Standard",
                "It can be read and searched by version here, but the Datastore holds only version 2 data.",
            )
        )
    registered_kind, real_kind = words.KINDS.get(entry.registered.file_type), words.KINDS.get(str(header.get("kind") or ""))
    if real_kind and registered_kind and real_kind != registered_kind:
        notices.append(
            Notice(
                Tone.WARN,
                "The file is of another kind than registered",
                f"It is registered as {registered_kind.lower()}, but what arrives is an {real_kind.lower()}.",
            )
        )
    return notices


# -- contents --------------------------------------------------------------------------------------------------------------------


def contents_table(rows: Sequence[ActivityRow], total: int, order: Order, short_name: str, *, searchable: bool) -> Table:
    path = lists.dataset_href(short_name)
    cells: list[list[Cell]] = [activity_cells(row, short_name if searchable else "") for row in rows]
    return Table(
        "activities", ACTIVITY_COLUMNS, cells, total, order, path, empty="This file holds no activities.", anchor="#contents", export=False
    )


def activity_cells(row: ActivityRow, short_name: str = "") -> list[Cell]:
    title: Cell = row.title or "(no title)"
    if short_name:
        title = Link(row.title or "(no title)", f"/activities/{quote(short_name, safe='')}/{row.number}")
    state = State(Tone.IDLE, "Held back", row.held_back, "held-back") if row.held_back else State(Tone.GOOD, "Yes", code="yes")
    return [row.number, Code(row.identifier) if row.identifier else None, title, row.status or None, state]


# -- history ---------------------------------------------------------------------------------------------------------------------


def history(checks: Sequence[CheckEvent], registrations: Sequence[Event]) -> list[Happening]:
    """Both logs as one timeline, newest first."""
    happenings = [_check_happening(event) for event in checks] + [_registry_happening(event) for event in registrations]
    return sorted(happenings, key=lambda one: one.at, reverse=True)[:HISTORY_LENGTH]


def _check_happening(event: CheckEvent) -> Happening:
    tone, title = words.EVENTS.get(event.kind, (Tone.INFO, str(event.kind)))
    payload = event.payload
    changes: list[Change] = []
    text = ""
    if event.kind in ("first_copy", "content_changed", "timestamp_changed"):
        new, old = payload.get("content_length"), payload.get("previous_content_length")
        if event.kind == "first_copy":
            text = formats.size(new) if isinstance(new, int) else ""
        else:
            changes.append(Change("Size", Size(old) if isinstance(old, int) else None, Size(new) if isinstance(new, int) else None))
            changes.append(Change("SHA-256", _short(event.previous_sha256), _short(event.content_sha256)))
    elif event.kind in ("error_started", "error_changed"):
        about = words.trouble(str(payload.get("error_type")), str(payload.get("cause")))
        status = payload.get("http_status")
        text = f"The server answered {status}." if payload.get("error_type") == "http_non_200" and status else about.what
    elif event.kind == "error_ended":
        text = f"It had failed since {payload['since']}." if payload.get("since") else ""
    elif event.kind == "renamed":
        changes.append(Change("Name", payload.get("old"), payload.get("new")))
    return Happening(event.at, title, tone, text, changes)


def _short(sha256: str | None) -> Cell:
    return Code(sha256[:16] + "…") if sha256 else None


def _registry_happening(event: Event) -> Happening:
    tone, title = REGISTRY_EVENTS.get(event.kind, (Tone.INFO, event.kind.replace("_", " ").capitalize()))
    return Happening(event.at, title, tone, "", list(_changes(event.payload)))


def _changes(payload: Mapping[str, Any]) -> Sequence[Change]:
    """The fields an event of the registry's log names under `before` and `after`; a first registration has no before."""
    before, after = payload.get("before") or {}, payload.get("after") or {}
    if not isinstance(before, Mapping) or not isinstance(after, Mapping) or not before or not after:
        return []
    names = [name for name in after if before.get(name) != after.get(name)]
    return [Change(name.replace("_", " "), _text(before.get(name)), _text(after.get(name))) for name in names]


def _text(value: object) -> str | None:
    return None if value is None else str(value)


ACTIVITY_EXPORT = (
    Column("number", "number", numeric=True),
    *(Column(key, key) for key in ("identifier", "title", "status", "in_datastore", "held_back")),
)


def activity_export(row: ActivityRow) -> list[Cell]:
    return [row.number, row.identifier, row.title, row.status, not row.held_back, row.held_back]
