"""Every state has words."""

from __future__ import annotations

import pytest

from iati_platform.bulk.catalogue import Cause, ErrorType
from iati_platform.bulk.events import EventKind
from iati_platform.portal import words
from iati_platform.portal.views.lists import DATASET_FILTERS
from iati_platform.web.cells import State, Tone


def test_every_error_and_cause_of_the_catalogue_has_words_and_advice() -> None:
    assert set(words.BY_TYPE) == {str(one) for one in ErrorType}
    assert set(words.BY_CAUSE) == {str(one) for one in Cause}
    for trouble in (*words.BY_TYPE.values(), *words.BY_CAUSE.values()):
        assert len(trouble.word) <= 24
        assert trouble.what.endswith(".")
        assert trouble.advice.endswith(".")


def test_every_event_of_the_history_has_words() -> None:
    assert set(words.EVENTS) == {str(one) for one in EventKind}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((True, None, None, True), State(Tone.GOOD, "Downloaded", code="ok")),
        ((True, "connection_error", "dns", False), State(Tone.BAD, "Host not found", code="error:connection_error")),
        ((True, "http_non_200", "status", True), State(Tone.WARN, "Last good copy", "server refused", "stale:http_non_200")),
        ((True, "other_error", "something new", False), State(Tone.BAD, "Download failed", code="error:other_error")),
        ((False, None, None, False), State(Tone.IDLE, "Not fetched yet", code="unchecked")),
    ],
)
def test_the_download_of_a_dataset_in_one_badge(facts: tuple[bool, str | None, str | None, bool], expected: State) -> None:
    checked, error, cause, copy = facts
    assert words.download_state(checked=checked, error_type=error, cause=cause, has_copy=copy) == expected


@pytest.mark.parametrize(
    ("processed", "header", "expected"),
    [
        (None, {}, State(Tone.IDLE, "Not validated", code="none")),
        ("poison", {}, State(Tone.BAD, "Not processed", code="failed")),
        ("ok", {"readable": False}, State(Tone.BAD, "Not readable", code="unreadable")),
        ("ok", {"readable": True, "summary": {"critical": 2, "error": 9}}, State(Tone.BAD, "2 critical", code="critical")),
        ("ok", {"readable": True, "summary": {"error": 1, "warning": 3}}, State(Tone.WARN, "1 error", code="error")),
        ("ok", {"readable": True, "summary": {"warning": 1200}}, State(Tone.INFO, "1,200 warnings", code="warning")),
        ("ok", {"readable": True, "summary": {"advisory": 4}}, State(Tone.GOOD, "Valid", code="valid")),
    ],
)
def test_the_validation_of_a_dataset_in_one_badge(processed: str | None, header: dict[str, object], expected: State) -> None:
    assert words.validity_state(processed, header) == expected


def test_lists_can_be_narrowed_by_download_validation_kind_and_version() -> None:
    assert list(DATASET_FILTERS) == ["download", "validity", "kind", "version"]
