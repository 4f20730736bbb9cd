"""The tests of comprehensiveness (spec/dashboard.md section 3.4) as a table: what passes with any data, and what more valid data needs.

Whether an activity counts as current, and so whether its result is used, depends on the day and is decided later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from babel.languages import get_official_languages

from iati_platform.dashboard.facts.activity import Activity, Budget, child, says
from iati_platform.dashboard.facts.vocabulary import (
    DAC3,
    DAC5,
    FUNDING,
    SHARES,
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
    """Passes only if the activity has an `element` of this name ("": whatever it has). `any` None: then it does. `valid` is asked only
    where `any` passed; None: nothing more is needed."""

    slug: str
    any: Check | None = None
    valid: Check | None = None
    element: str = ""


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
    return bool(starts) and False not in [XSD_DATES[node[1].get("iso-date", "")] for node in activity.all("activity-date")]


def _status_valid(activity: Activity) -> bool:
    codes = _codes(activity.second, "ActivityStatus")
    return codes.issuperset([node[1].get("code", "") for node in activity.all("activity-status")])


def _whole(nodes: Sequence[Node]) -> bool:
    """A lone element, or percentages of exactly 100 together."""
    return len(nodes) == 1 or sum([SHARES[node[1].get("percentage", "")] for node in nodes]) == 100


def _sector(activity: Activity) -> bool:
    return bool(activity.all("sector")) or (activity.second and activity.transactions.all_sectors)


def _sector_valid(activity: Activity) -> bool:
    sectors = activity.all("sector")
    if len(sectors) < 2:
        return True
    vocabularies: defaultdict[str | None, list[Node]] = defaultdict(list)
    for node in sectors:
        vocabularies[node[1].get("vocabulary")].append(node)
    return False not in map(_whole, vocabularies.values())


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


def _positions_valid(activity: Activity) -> bool:
    return False not in map(_position_valid, _positions(activity))


_TOLD: Final = frozenset({"name", "description", "location-administrative"})


def _location(activity: Activity) -> bool:
    for node in activity.all("location"):
        for each in node[3]:
            if each[0].name in _TOLD:
                return True
    return bool(_positions(activity))


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
    return bool(official) and _is_in(official, activity, "title") and _is_in(official, activity, "description")


def _is_in(official: frozenset[str], activity: Activity, name: str) -> bool:
    """Whether some text of an element is in one of these languages: its own or the activity's."""
    default = activity.attributes.get(XML_LANG, "")
    for node in activity.all(name):
        for text in node[3] if activity.second else (node,):
            if activity.second and text[0].name != "narrative":
                continue
            language = text[1].get(XML_LANG) or default
            if (language in official or language.split("-")[0].lower() in official) and text[2].strip():
                return True
    return False


def _reporting_org(activity: Activity) -> bool:
    for node in activity.all("reporting-org"):  # noqa: SIM110
        if node[1].get("ref") and says(node, activity.second):
            return True
    return False


def _has_child(name: str, inner: str) -> Check:
    def check(activity: Activity) -> bool:
        for node in activity.groups[name]:  # noqa: SIM110 (a generator costs twice as much)
            if child(node, inner) is not None:
                return True
        return False

    return check


def _has(name: str, attribute: str) -> Check:
    def check(activity: Activity) -> bool:
        for node in activity.groups[name]:  # noqa: SIM110
            if node[1].get(attribute):
                return True
        return False

    return check


#: In this order the tests are bits 0, 1, 2, ... of the fields `any` and `valid` of the facts. Add at the end; never reorder.
TESTS: Final[tuple[Test, ...]] = (
    Test("version", lambda activity: bool(activity.version), _version_valid),
    Test("reporting-org", _reporting_org, element="reporting-org"),
    Test("iati-identifier", lambda activity: bool(activity.identifier), _identifier_valid),
    Test(
        "participating-org",
        valid=lambda activity: any(node[1].get("role") in FUNDING for node in activity.all("participating-org")),
        element="participating-org",
    ),
    Test("title", lambda activity: activity.has_text("title"), element="title"),
    Test("description", lambda activity: activity.has_text("description"), element="description"),
    Test("activity-status", valid=_status_valid, element="activity-status"),
    Test("activity-date", valid=_dates_valid, element="activity-date"),
    Test("sector", _sector, _sector_valid),
    Test("country_or_region", _place, _place_valid),
    Test(
        "transaction_commitment",
        lambda activity: activity.transactions.commitments,
        lambda activity: activity.transactions.commitments_valid,
        element="transaction",
    ),
    Test(
        "transaction_spend",
        lambda activity: activity.transactions.spend,
        lambda activity: activity.transactions.spend_valid,
        element="transaction",
    ),
    Test("transaction_traceability", _traceability),
    Test("budget", valid=_budgets_valid, element="budget"),
    Test("contact-info", _has_child("contact-info", "email"), element="contact-info"),
    Test("location", _location, element="location"),
    Test("location_point_pos", lambda activity: bool(_positions(activity)), _positions_valid, element="location"),
    Test("sector_dac", _dac, _dac_valid),
    Test("capital-spend", _has("capital-spend", "percentage"), element="capital-spend"),
    Test("document-link", valid=_document_valid, element="document-link"),
    Test("aid_type", _aid_type, _aid_type_valid),
    Test("recipient_language", _language, element="recipient-country"),
    Test("result_indicator", _has_child("result", "indicator"), element="result"),
    Test("budget_not_provided", lambda activity: bool(activity.budget_not_provided), _without_budget_valid),
    Test("transaction_currency", lambda activity: activity.transactions.all_currencies, element="transaction"),
    Test("activity-website", element="activity-website"),
    Test("conditions_attached", _has("conditions", "attached"), element="conditions"),
)

#: By the children that an activity has: the tests it passes for that alone, and those to be asked, with their bits.
_Asked = tuple[int, list[tuple[int, Check | None, Check | None]]]
_ASKED: Final[dict[tuple[str, ...], _Asked]] = {}


def run(activity: Activity) -> tuple[int, int]:
    """(any, valid) as bit sets over `TESTS`."""
    present = tuple(activity.groups)
    asked = _ASKED.get(present)
    if asked is None:
        asked = _asked(present)
    passed = valid = asked[0]
    for bit, test, more in asked[1]:
        if test is None or test(activity):
            passed |= bit
            if more is None or more(activity):
                valid |= bit
    return passed, valid


def _asked(present: tuple[str, ...]) -> _Asked:
    tests = [(1 << at, test.any, test.valid) for at, test in enumerate(TESTS) if not test.element or test.element in present]
    sure = sum(bit for bit, test, more in tests if test is None and more is None)
    if len(_ASKED) > 10_000:
        _ASKED.clear()
    found = _ASKED[present] = (sure, [each for each in tests if not each[0] & sure])
    return found
