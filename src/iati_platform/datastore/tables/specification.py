"""The analytics tables: which there are, which columns they have and where in the XML each value comes from. Only data lives here.

A table has one row per record or per element below it (`rows`). A column names one or more *sources*, relative to that element:

    @ref                                an attribute
    text()                              the element's own text, trimmed
    narrative()                         own text (1.x) or else the first narrative child (2.x), trimmed
    value/@currency                     the same of a child element
    activity-date[@type=1|start-planned]/@iso-date
                                        only children whose attribute has one of the values; an empty alternative means "absent"

The first source with a non-empty value wins, in document order and, within one element, in the order given. Codes are kept as
published: 1.x files keep their words ("C", "start-planned"), which is why conditions list both spellings (spec/dashboard.md section 2).

Columns that every view shows besides these come from the `dataset` table: see `reader.PROVENANCE`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"


class Type(StrEnum):
    """How a published text becomes a typed value. What does not parse becomes NULL: the XML keeps what was written."""

    TEXT = "text"
    CODE = "code"
    DATE = "date"
    MONEY = "money"
    NUMBER = "number"
    INTEGER = "integer"
    FLAG = "flag"
    LATITUDE = "latitude"
    LONGITUDE = "longitude"


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `default` is a source relative to the record that stands in when the element itself has no value."""

    name: str
    type: Type
    sources: tuple[str, ...]
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """`rows`: alternative paths below the record whose elements become rows; "" is the record itself.

    Every step of the path adds an index column, named in `indices`: the 0-based position among the siblings of the same name
    (with several paths: among all elements of these paths, path by path). `kind` names a column that says which path a row came from.
    """

    name: str
    title: str
    record: str
    rows: tuple[str, ...]
    indices: tuple[str, ...]
    columns: tuple[Column, ...]
    kind: str | None = None


def _columns(*described: tuple[str, Type] | tuple[str, Type, str] | tuple[str, Type, str, str]) -> tuple[Column, ...]:
    """Columns from (name, type, sources separated by blanks, default source); without sources the attribute of the same name."""
    return tuple(
        Column(each[0], each[1], tuple(each[2].split()) if len(each) > 2 else ("@" + each[0],), each[3] if len(each) > 3 else None)
        for each in described
    )


ACTIVITY: Final = "iati-activity"
ORGANISATION: Final = "iati-organisation"

TEXT, CODE, DATE, MONEY = Type.TEXT, Type.CODE, Type.DATE, Type.MONEY
NUMBER, INTEGER, FLAG = Type.NUMBER, Type.INTEGER, Type.FLAG

#: Sector vocabulary of the OECD DAC, 5 digits: "1" in 2.x, "DAC" in 1.x, and what an absent vocabulary means.
_DAC = "[@vocabulary=1|DAC|]"

_DOCUMENT: Final = _columns(
    ("url", TEXT),
    ("format", CODE),
    ("title", TEXT, "title/narrative()"),
    ("category", CODE, "category/@code"),
    ("language", CODE, "language/@code"),
    ("document_date", DATE, "document-date/@iso-date"),
)

TABLES: Final[tuple[Table, ...]] = (
    Table(
        "activity",
        "Activities",
        ACTIVITY,
        ("",),
        (),
        _columns(
            ("hierarchy", INTEGER),
            ("humanitarian", FLAG),
            ("language", CODE, "@" + XML_LANG),
            ("default_currency", CODE, "@default-currency"),
            ("last_updated", DATE, "@last-updated-datetime"),
            ("linked_data_uri", TEXT, "@linked-data-uri"),
            ("budget_not_provided", CODE, "@budget-not-provided"),
            ("reporting_org_ref", TEXT, "reporting-org/@ref"),
            ("reporting_org_type", CODE, "reporting-org/@type"),
            ("reporting_org_name", TEXT, "reporting-org/narrative()"),
            ("secondary_reporter", FLAG, "reporting-org/@secondary-reporter"),
            ("title", TEXT, "title/narrative()"),
            ("description", TEXT, "description/narrative()"),
            ("status", CODE, "activity-status/@code"),
            ("scope", CODE, "activity-scope/@code"),
            ("planned_start", DATE, "activity-date[@type=1|start-planned]/@iso-date activity-date[@type=1|start-planned]/text()"),
            ("actual_start", DATE, "activity-date[@type=2|start-actual]/@iso-date activity-date[@type=2|start-actual]/text()"),
            ("planned_end", DATE, "activity-date[@type=3|end-planned]/@iso-date activity-date[@type=3|end-planned]/text()"),
            ("actual_end", DATE, "activity-date[@type=4|end-actual]/@iso-date activity-date[@type=4|end-actual]/text()"),
            ("recipient_country", CODE, "recipient-country/@code"),
            ("recipient_region", CODE, "recipient-region[@vocabulary=1|]/@code"),
            ("sector", CODE, f"sector{_DAC}/@code"),
            ("collaboration_type", CODE, "collaboration-type/@code"),
            ("default_flow_type", CODE, "default-flow-type/@code"),
            ("default_finance_type", CODE, "default-finance-type/@code"),
            ("default_aid_type", CODE, "default-aid-type[@vocabulary=1|]/@code"),
            ("default_tied_status", CODE, "default-tied-status/@code"),
            ("capital_spend", NUMBER, "capital-spend/@percentage"),
            ("conditions_attached", FLAG, "conditions/@attached"),
            ("humanitarian_scope", CODE, "humanitarian-scope/@code"),
            ("contact_email", TEXT, "contact-info/email/text()"),
            ("website", TEXT, "activity-website/text() contact-info/website/text()"),
        ),
    ),
    Table(
        "transaction",
        "Transactions",
        ACTIVITY,
        ("transaction",),
        ("transaction_index",),
        _columns(
            ("ref", TEXT),
            ("type", CODE, "transaction-type/@code"),
            ("date", DATE, "transaction-date/@iso-date transaction-date/text()"),
            ("value", MONEY, "value/text()"),
            ("currency", CODE, "value/@currency", "@default-currency"),
            ("value_date", DATE, "value/@value-date"),
            ("description", TEXT, "description/narrative()"),
            ("provider_org_ref", TEXT, "provider-org/@ref"),
            ("provider_org_name", TEXT, "provider-org/narrative()"),
            ("provider_org_type", CODE, "provider-org/@type"),
            ("provider_activity_id", TEXT, "provider-org/@provider-activity-id"),
            ("receiver_org_ref", TEXT, "receiver-org/@ref"),
            ("receiver_org_name", TEXT, "receiver-org/narrative()"),
            ("receiver_org_type", CODE, "receiver-org/@type"),
            ("receiver_activity_id", TEXT, "receiver-org/@receiver-activity-id"),
            ("sector", CODE, f"sector{_DAC}/@code"),
            ("recipient_country", CODE, "recipient-country/@code"),
            ("recipient_region", CODE, "recipient-region[@vocabulary=1|]/@code"),
            ("disbursement_channel", CODE, "disbursement-channel/@code"),
            ("flow_type", CODE, "flow-type/@code", "default-flow-type/@code"),
            ("finance_type", CODE, "finance-type/@code", "default-finance-type/@code"),
            ("aid_type", CODE, "aid-type[@vocabulary=1|]/@code", "default-aid-type[@vocabulary=1|]/@code"),
            ("tied_status", CODE, "tied-status/@code", "default-tied-status/@code"),
            ("humanitarian", FLAG),
        ),
    ),
    Table(
        "budget",
        "Budgets of activities",
        ACTIVITY,
        ("budget",),
        ("budget_index",),
        _columns(
            ("type", CODE),
            ("status", CODE),
            ("period_start", DATE, "period-start/@iso-date period-start/text()"),
            ("period_end", DATE, "period-end/@iso-date period-end/text()"),
            ("value", MONEY, "value/text()"),
            ("currency", CODE, "value/@currency", "@default-currency"),
            ("value_date", DATE, "value/@value-date"),
        ),
    ),
    Table(
        "planned_disbursement",
        "Planned disbursements",
        ACTIVITY,
        ("planned-disbursement",),
        ("planned_disbursement_index",),
        _columns(
            ("type", CODE),
            ("period_start", DATE, "period-start/@iso-date period-start/text()"),
            ("period_end", DATE, "period-end/@iso-date period-end/text()"),
            ("value", MONEY, "value/text()"),
            ("currency", CODE, "value/@currency", "@default-currency"),
            ("value_date", DATE, "value/@value-date"),
            ("provider_org_ref", TEXT, "provider-org/@ref"),
            ("provider_activity_id", TEXT, "provider-org/@provider-activity-id"),
            ("receiver_org_ref", TEXT, "receiver-org/@ref"),
            ("receiver_activity_id", TEXT, "receiver-org/@receiver-activity-id"),
        ),
    ),
    Table(
        "sector",
        "Sectors of activities, every vocabulary",
        ACTIVITY,
        ("sector",),
        ("sector_index",),
        _columns(("code", CODE), ("vocabulary", CODE), ("percentage", NUMBER), ("name", TEXT, "narrative()")),
    ),
    Table(
        "recipient",
        "Recipient countries and regions of activities",
        ACTIVITY,
        ("recipient-country", "recipient-region"),
        ("recipient_index",),
        _columns(("code", CODE), ("vocabulary", CODE), ("percentage", NUMBER), ("name", TEXT, "narrative()")),
        kind="kind",
    ),
    Table(
        "participating_org",
        "Participating organisations",
        ACTIVITY,
        ("participating-org",),
        ("participating_org_index",),
        _columns(
            ("role", CODE),
            ("ref", TEXT),
            ("type", CODE),
            ("activity_id", TEXT, "@activity-id"),
            ("crs_channel_code", CODE, "@crs-channel-code"),
            ("name", TEXT, "narrative()"),
        ),
    ),
    Table(
        "location",
        "Locations",
        ACTIVITY,
        ("location",),
        ("location_index",),
        _columns(
            ("ref", TEXT),
            ("name", TEXT, "name/narrative()"),
            ("description", TEXT, "description/narrative()"),
            ("position", TEXT, "point/pos/text()"),
            ("latitude", Type.LATITUDE, "point/pos/text() coordinates/@latitude"),
            ("longitude", Type.LONGITUDE, "point/pos/text() coordinates/@longitude"),
            ("reach", CODE, "location-reach/@code"),
            ("exactness", CODE, "exactness/@code"),
            ("class", CODE, "location-class/@code"),
            ("feature", CODE, "feature-designation/@code location-type/@code"),
            ("location_id", CODE, "location-id/@code"),
            ("location_id_vocabulary", CODE, "location-id/@vocabulary"),
            ("administrative", CODE, "administrative/@code"),
            ("administrative_level", CODE, "administrative/@level"),
        ),
    ),
    Table(
        "result",
        "Results",
        ACTIVITY,
        ("result",),
        ("result_index",),
        _columns(
            ("type", CODE),
            ("aggregation_status", FLAG, "@aggregation-status"),
            ("title", TEXT, "title/narrative()"),
            ("description", TEXT, "description/narrative()"),
        ),
    ),
    Table(
        "indicator",
        "Indicators of results",
        ACTIVITY,
        ("result/indicator",),
        ("result_index", "indicator_index"),
        _columns(
            ("measure", CODE),
            ("ascending", FLAG),
            ("title", TEXT, "title/narrative()"),
            ("reference_code", CODE, "reference/@code"),
            ("reference_vocabulary", CODE, "reference/@vocabulary"),
            ("baseline_year", CODE, "baseline/@year"),
            ("baseline_value", TEXT, "baseline/@value"),
        ),
    ),
    Table(
        "indicator_period",
        "Targets and actual values of indicators by period",
        ACTIVITY,
        ("result/indicator/period",),
        ("result_index", "indicator_index", "period_index"),
        _columns(
            ("period_start", DATE, "period-start/@iso-date period-start/text()"),
            ("period_end", DATE, "period-end/@iso-date period-end/text()"),
            ("target", TEXT, "target/@value"),
            ("actual", TEXT, "actual/@value"),
        ),
    ),
    Table("document_link", "Documents of activities", ACTIVITY, ("document-link",), ("document_link_index",), _DOCUMENT),
    Table(
        "related_activity",
        "Related activities",
        ACTIVITY,
        ("related-activity",),
        ("related_activity_index",),
        _columns(("ref", TEXT), ("type", CODE)),
    ),
    Table(
        "policy_marker",
        "Policy markers",
        ACTIVITY,
        ("policy-marker",),
        ("policy_marker_index",),
        _columns(("code", CODE), ("vocabulary", CODE), ("significance", CODE), ("name", TEXT, "narrative()")),
    ),
    Table(
        "organisation",
        "Organisations (organisation files)",
        ORGANISATION,
        ("",),
        (),
        _columns(
            ("language", CODE, "@" + XML_LANG),
            ("default_currency", CODE, "@default-currency"),
            ("last_updated", DATE, "@last-updated-datetime"),
            ("name", TEXT, "name/narrative()"),
            ("reporting_org_ref", TEXT, "reporting-org/@ref"),
            ("reporting_org_type", CODE, "reporting-org/@type"),
            ("reporting_org_name", TEXT, "reporting-org/narrative()"),
            ("secondary_reporter", FLAG, "reporting-org/@secondary-reporter"),
        ),
    ),
    Table(
        "organisation_budget",
        "Budgets and expenditure of organisations (organisation files)",
        ORGANISATION,
        ("total-budget", "recipient-org-budget", "recipient-country-budget", "recipient-region-budget", "total-expenditure"),
        ("budget_index",),
        _columns(
            ("status", CODE),
            ("period_start", DATE, "period-start/@iso-date period-start/text()"),
            ("period_end", DATE, "period-end/@iso-date period-end/text()"),
            ("value", MONEY, "value/text()"),
            ("currency", CODE, "value/@currency", "@default-currency"),
            ("value_date", DATE, "value/@value-date"),
            ("recipient_org_ref", TEXT, "recipient-org/@ref"),
            ("recipient_country", CODE, "recipient-country/@code"),
            ("recipient_region", CODE, "recipient-region[@vocabulary=1|]/@code"),
        ),
        kind="kind",
    ),
    Table(
        "organisation_document",
        "Documents of organisations (organisation files)",
        ORGANISATION,
        ("document-link",),
        ("document_link_index",),
        _DOCUMENT,
    ),
)

#: Columns in front of every table, by record: the record's 0-based position in its file (unique, unlike identifiers) and its identifier.
LEADING: Final = {
    ACTIVITY: ("activity_index", "iati_identifier"),
    ORGANISATION: ("organisation_index", "organisation_identifier"),
}
#: Columns that only the table of the records themselves has: the file's version, whether the record is in the Datastore's collections,
#: and whether it keeps to the schema.
RECORD_COLUMNS: Final = ("version", "admitted", "schema_valid")
