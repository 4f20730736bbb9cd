"""The tests of comprehensiveness (spec/dashboard.md section 3.4) as a table: what passes with any data, and what more valid data needs.

Whether an activity counts as current, and so whether its result is used, depends on the day and is decided later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final

from babel.languages import get_official_languages

from iati_platform.dashboard.facts.activity import Activity, Budget, child, says
from iati_platform.dashboard.facts.vocabulary import (
    DAC3,
    DAC5,
    FUNDING,
    XML_LANG,
    XSD_DATES,
    amount,
    is_absolute_url,
)
from iati_platform.standard import VERSIONS, codelist

if TYPE_CHECKING:
    from iati_platform.reading import Node

Check = Callable[[Activity], bool]


@dataclass(frozen=True, slots=True)
class Test:
    """`valid` is asked only where `any` passed; None: nothing more is needed."""

    slug: str
    any: Check
    valid: Check | None = None


@cache
def _codes(second: bool, name: str) -> frozenset[str]:
    """Codes of a list as it stands for 2.x or 1.x files."""
    return frozenset(codelist("2.03" if second else "1.05", name).codes)


def _version_valid(activity: Activity) -> bool:
    return activity.version in VERSIONS


def _identifier_valid(activity: Activity) -> bool:
    own = activity.reporting_ref
    if not activity.second or (own and activity.identifier.startswith(own)):
        return True
    others = [node[1].get("ref", "") for node in activity.all("other-identifier") if node[1].get("type") == "B1"]
    return any(ref and activity.identifier.startswith(ref) for ref in others)


def _dates_valid(activity: Activity) -> bool:
    starts = activity.dates[0] or activity.dates[1]
    return bool(starts) and all(XSD_DATES[node[1].get("iso-date", "")] for node in activity.all("activity-date"))


def _whole(nodes: Iterable[Node]) -> bool:
    """A lone element, or percentages of exactly 100 together."""
    nodes = list(nodes)
    if len(nodes) == 1:
        return True
    shares = [amount(node[1].get("percentage", "")) for node in nodes]
    return sum((share for share in shares if share is not None), Decimal(0)) == 100


def _sector(activity: Activity) -> bool:
    return bool(activity.all("sector")) or (activity.second and activity.transactions.all_sectors)


def _sector_valid(activity: Activity) -> bool:
    sectors = activity.all("sector")
    if len(sectors) < 2:
        return True
    vocabularies = defaultdict(list)
    for node in sectors:
        vocabularies[node[1].get("vocabulary")].append(node)
    return all(_whole(nodes) for nodes in vocabularies.values())


def _place(activity: Activity) -> bool:
    return bool(_places(activity)) or (activity.second and activity.transactions.all_places)


def _place_valid(activity: Activity) -> bool:
    nodes = _places(activity)
    return not nodes or _whole(nodes)


def _places(activity: Activity) -> list[Node]:
    return [*activity.all("recipient-country"), *activity.all("recipient-region")]


def _traceability(activity: Activity) -> bool:
    return (activity.transactions.incoming and activity.transactions.incoming_named) or activity.donor


def _budgets_valid(activity: Activity) -> bool:
    return not activity.budget_not_provided and all(_budget_valid(node) for node in activity.budgets)


def _budget_valid(budget: Budget) -> bool:
    start, end, value = budget.start, budget.end, budget.value
    return (
        start is not None
        and end is not None
        and value is not None
        and XSD_DATES[start[1].get("iso-date", "")]
        and XSD_DATES[end[1].get("iso-date", "")]
        and XSD_DATES[value[1].get("value-date", "")]
        and amount(value[2]) is not None
    )


def _without_budget_valid(activity: Activity) -> bool:
    return not activity.budgets and activity.budget_not_provided in _codes(activity.second, "BudgetNotProvided")


def _positions(activity: Activity) -> list[str]:
    points = [child(node, "point") for node in activity.all("location")]
    places = [child(point, "pos") for point in points if point is not None]
    return [place[2] for place in places if place is not None]


def _location(activity: Activity) -> bool:
    told = any(each[0].name in ("name", "description", "location-administrative") for node in activity.all("location") for each in node[3])
    return told or bool(_positions(activity))


def _position_valid(text: str) -> bool:
    parts = text.split(" ")
    if len(parts) != 2 or any(amount(part) is None for part in parts):
        return False
    latitude, longitude = float(parts[0]), float(parts[1])
    return -90 <= latitude <= 90 and -180 <= longitude <= 180 and not (latitude == 0 and longitude == 0)


_DAC: Final = DAC5 | DAC3


def _dac(activity: Activity) -> bool:
    for node in activity.all("sector"):
        if node[1].get("vocabulary", "") in _DAC:
            return True
    return activity.second and activity.transactions.all_dac


def _dac_valid(activity: Activity) -> bool:
    sectors, categories = _codes(activity.second, "Sector"), _codes(activity.second, "SectorCategory")
    for node in activity.all("sector"):
        vocabulary, code = node[1].get("vocabulary", ""), node[1].get("code", "")
        if vocabulary in DAC5:
            if code not in sectors:
                return False
        elif vocabulary in DAC3 and code not in categories:
            return False
    return True


def _document_valid(activity: Activity) -> bool:
    categories = _codes(activity.second, "DocumentCategory")
    for node in activity.all("document-link"):
        category = child(node, "category")
        if category is None or category[1].get("code") not in categories or not is_absolute_url(node[1].get("url", "")):
            return False
    return True


def _aid_type(activity: Activity) -> bool:
    for node in activity.all("default-aid-type"):
        if node[1].get("code"):
            return True
    return activity.transactions.all_aid_types


def _aid_type_valid(activity: Activity) -> bool:
    codes = _codes(activity.second, "AidType")
    defaults = activity.all("default-aid-type")
    if defaults and all(node[1].get("code") in codes for node in defaults):
        return True
    return activity.transactions.all_aid_types and activity.transactions.all_have_aid_type(codes)


@cache
def _official_languages(country: str) -> frozenset[str]:
    return frozenset(language.split("_")[0].lower() for language in get_official_languages(country, regional=False, de_facto=True))


def _language(activity: Activity) -> bool:
    countries = activity.all("recipient-country")
    if len(countries) != 1:
        return False
    official = _official_languages(countries[0][1].get("code", "").upper())
    return (
        bool(official)
        and not official.isdisjoint(_languages(activity, "title"))
        and not official.isdisjoint(_languages(activity, "description"))
    )


def _languages(activity: Activity, name: str) -> set[str]:
    """Languages of the texts of an element: its own or the activity's."""
    default = activity.attributes.get(XML_LANG, "")
    found: set[str] = set()
    for node in activity.all(name):
        texts = [each for each in node[3] if each[0].name == "narrative"] if activity.second else [node]
        found.update(text[1].get(XML_LANG) or default for text in texts if text[2].strip())
    return {language.split("-")[0].lower() for language in found}


def _reporting_org(activity: Activity) -> bool:
    return any(bool(node[1].get("ref")) and says(node, activity.second) for node in activity.all("reporting-org"))


def _has_child(name: str, inner: str) -> Check:
    return lambda activity: any(child(node, inner) is not None for node in activity.all(name))


def _has(name: str, attribute: str | None = None) -> Check:
    if attribute is None:
        return lambda activity: name in activity.groups
    return lambda activity: any(node[1].get(attribute) for node in activity.groups.get(name, ()))


#: In this order the tests are bits 0, 1, 2, ... of the fields `any` and `valid` of the facts. Add at the end; never reorder.
TESTS: Final[tuple[Test, ...]] = (
    Test("version", lambda activity: bool(activity.version), _version_valid),
    Test("reporting-org", _reporting_org),
    Test("iati-identifier", lambda activity: bool(activity.identifier), _identifier_valid),
    Test(
        "participating-org",
        _has("participating-org"),
        lambda activity: any(node[1].get("role") in FUNDING for node in activity.all("participating-org")),
    ),
    Test("title", lambda activity: activity.has_text("title")),
    Test("description", lambda activity: activity.has_text("description")),
    Test(
        "activity-status",
        _has("activity-status"),
        lambda activity: _codes(activity.second, "ActivityStatus").issuperset(
            node[1].get("code", "") for node in activity.all("activity-status")
        ),
    ),
    Test("activity-date", _has("activity-date"), _dates_valid),
    Test("sector", _sector, _sector_valid),
    Test("country_or_region", _place, _place_valid),
    Test(
        "transaction_commitment",
        lambda activity: activity.transactions.commitments,
        lambda activity: activity.transactions.commitments_valid,
    ),
    Test("transaction_spend", lambda activity: activity.transactions.spend, lambda activity: activity.transactions.spend_valid),
    Test("transaction_traceability", _traceability),
    Test("budget", _has("budget"), _budgets_valid),
    Test("contact-info", _has_child("contact-info", "email")),
    Test("location", _location),
    Test(
        "location_point_pos",
        lambda activity: bool(_positions(activity)),
        lambda activity: all(_position_valid(text) for text in _positions(activity)),
    ),
    Test("sector_dac", _dac, _dac_valid),
    Test("capital-spend", _has("capital-spend", "percentage")),
    Test("document-link", _has("document-link"), _document_valid),
    Test("aid_type", _aid_type, _aid_type_valid),
    Test("recipient_language", _language),
    Test("result_indicator", _has_child("result", "indicator")),
    Test("budget_not_provided", lambda activity: bool(activity.budget_not_provided), _without_budget_valid),
    Test("transaction_currency", lambda activity: activity.transactions.all_currencies),
    Test("activity-website", _has("activity-website")),
    Test("conditions_attached", _has("conditions", "attached")),
)


def run(activity: Activity) -> tuple[int, int]:
    """(any, valid) as bit sets over `TESTS`."""
    passed = valid = 0
    bit = 1
    for test in TESTS:
        if test.any(activity):
            passed |= bit
            if test.valid is None or test.valid(activity):
                valid |= bit
        bit <<= 1
    return passed, valid
