"""The mistakes people meet in published data, planted where expectations.json says.

Two kinds: a *flaw* changes the elements of one activity, a *fault* the bytes of a whole file (or keeps it from being there). Each names the
rule of the validator that finds it, where there is one, and whether the activity stays valid against the schema.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from iati_platform.demo.markup import XML_LANG, Element, element, narratives


@dataclass(frozen=True, slots=True)
class Flaw:
    """plant(activity, base) changes the activity and tells whether it could: some need a transaction or a budget to spoil."""

    name: str
    rule: str | None
    schema_valid: bool
    plant: Callable[[Element, date], bool]


@dataclass(frozen=True, slots=True)
class Fault:
    """spoil(xml text) gives the bytes on the publisher's server; None: there is no file.

    readable: records can be taken from it. schema_valid: as a whole.
    """

    name: str
    spoil: Callable[[str], bytes | None]
    readable: bool
    schema_valid: bool
    rule: str | None = None


# --- flaws of one activity ---------------------------------------------------------------------------------------------------------


def _sector_percentages(activity: Element, base: date) -> bool:
    del base
    activity.remove("sector")
    activity.children += [
        element("sector", vocabulary="1", code="11220", percentage="60"),
        element("sector", vocabulary="1", code="14030", percentage="60"),
    ]
    return True


def _country_percentages(activity: Element, base: date) -> bool:
    del base
    activity.remove("recipient-country")
    activity.remove("recipient-region")
    activity.children += [
        element("recipient-country", code="KE", percentage="50"),
        element("recipient-country", code="UG", percentage="40"),
    ]
    return True


def _unknown_sector(activity: Element, base: date) -> bool:
    del base
    activity.remove("sector")
    activity.children.append(element("sector", vocabulary="1", code="11999", percentage="100"))
    return True


def _withdrawn_sector(activity: Element, base: date) -> bool:
    del base
    activity.remove("sector")
    activity.children.append(element("sector", vocabulary="1", code="23010", percentage="100"))
    return True


def _unknown_country(activity: Element, base: date) -> bool:
    del base
    activity.remove("recipient-country")
    activity.remove("recipient-region")
    activity.children.append(element("recipient-country", code="UK", percentage="100"))
    return True


def _unknown_currency(activity: Element, base: date) -> bool:
    del base
    activity.attributes["default-currency"] = "EURO"
    return True


def _no_currency(activity: Element, base: date) -> bool:
    del base
    del activity.attributes["default-currency"]
    return bool(activity.all("budget"))


def _no_sector(activity: Element, base: date) -> bool:
    del base
    activity.remove("sector")
    return True


def _no_geography(activity: Element, base: date) -> bool:
    del base
    activity.remove("recipient-country")
    activity.remove("recipient-region")
    return True


def _date(activity: Element, kind: str, when: date) -> None:
    activity.children = [c for c in activity.children if c.tag != "activity-date" or c.attributes["type"] != kind]
    activity.children.append(element("activity-date", type=kind, iso_date=when.isoformat()))


def _start_after_end(activity: Element, base: date) -> bool:
    _date(activity, "1", base - timedelta(days=30))
    _date(activity, "3", base - timedelta(days=400))
    return True


def _start_in_future(activity: Element, base: date) -> bool:
    activity.children = [c for c in activity.children if c.tag != "activity-date" or c.attributes["type"] != "4"]
    _date(activity, "2", base + timedelta(days=730))
    return True


def _transaction_in_future(activity: Element, base: date) -> bool:
    for transaction in activity.all("transaction")[-1:]:
        transaction.child("transaction-date").attributes["iso-date"] = (base + timedelta(days=900)).isoformat()
        return True
    return False


def _updated_in_future(activity: Element, base: date) -> bool:
    activity.attributes["last-updated-datetime"] = f"{(base + timedelta(days=1200)).isoformat()}T00:00:00Z"
    return True


def _long_budget(activity: Element, base: date) -> bool:
    del base
    for budget in activity.all("budget")[:1]:
        start = date.fromisoformat(budget.child("period-start").attributes["iso-date"])
        budget.child("period-end").attributes["iso-date"] = date(start.year + 3, 12, 31).isoformat()
        return True
    return False


def _budget_backwards(activity: Element, base: date) -> bool:
    del base
    for budget in activity.all("budget")[:1]:
        start = date.fromisoformat(budget.child("period-start").attributes["iso-date"])
        budget.child("period-end").attributes["iso-date"] = (start - timedelta(days=200)).isoformat()
        return True
    return False


def _empty_title(activity: Element, base: date) -> bool:
    del base
    activity.remove("title")
    activity.children.append(element("title", element("narrative")))
    return True


def _missing_title(activity: Element, base: date) -> bool:
    del base
    activity.remove("title")
    return True


def _identifier_with_space(activity: Element, base: date) -> bool:
    del base
    identifier = activity.child("iati-identifier")
    identifier.text += " "
    return True


def _foreign_identifier(activity: Element, base: date) -> bool:
    del base
    identifier = activity.child("iati-identifier")
    identifier.text = f"PRJ/{identifier.text.rsplit('-', 1)[1]}".replace("/", "-")
    return True


def _identifier_of_organisation(activity: Element, base: date) -> bool:
    del base
    activity.child("iati-identifier").text = activity.child("reporting-org").attributes["ref"]
    return True


def _unnamed_participant(activity: Element, base: date) -> bool:
    del base
    activity.children.append(element("participating-org", role="4", type="22"))
    return True


def _no_significance(activity: Element, base: date) -> bool:
    del base
    activity.remove("policy-marker")
    activity.children.append(element("policy-marker", vocabulary="1", code="1"))
    return True


def _period_backwards(activity: Element, base: date) -> bool:
    del base
    for result in activity.all("result"):
        for period in result.child("indicator").all("period"):
            start, end = period.child("period-start").attributes, period.child("period-end").attributes
            start["iso-date"], end["iso-date"] = end["iso-date"], start["iso-date"]
            return start["iso-date"] != end["iso-date"]
    return False


def _words_for_a_number(activity: Element, base: date) -> bool:
    del base
    for transaction in activity.all("transaction")[:1]:
        transaction.child("value").text = f"{transaction.child('value').text} approx."
        return True
    return False


def _written_date(activity: Element, base: date) -> bool:
    del base
    for transaction in activity.all("transaction")[:1]:
        when = transaction.child("transaction-date").attributes
        year, month, day = when["iso-date"].split("-")
        when["iso-date"] = f"{day}/{month}/{year}"
        return True
    return False


def _unknown_language(activity: Element, base: date) -> bool:
    del base
    activity.remove("title")
    activity.children.append(narratives("title", {"xx": "Untitled in an unknown language"}, ""))
    return True


# Planted after the children were put in order, because they are about order and foreign elements.


def _out_of_order(activity: Element, base: date) -> bool:
    del base
    title = activity.child("title")
    activity.children.remove(title)
    activity.children.append(title)
    return True


def _unknown_element(activity: Element, base: date) -> bool:
    del base
    position = activity.children.index(activity.child("activity-status"))
    activity.children.insert(position, element("project-manager", text="see website"))
    return True


def _language_attribute(activity: Element, base: date) -> bool:
    del base
    del activity.attributes[XML_LANG]
    return True


FLAWS: tuple[Flaw, ...] = (
    Flaw("sector-percentages", "2.1.2", True, _sector_percentages),
    Flaw("country-percentages", "3.1.2", True, _country_percentages),
    Flaw("unknown-sector", "9.76.1", True, _unknown_sector),
    Flaw("withdrawn-sector", None, True, _withdrawn_sector),
    Flaw("unknown-country", None, True, _unknown_country),
    Flaw("unknown-currency", "9.3.1", True, _unknown_currency),
    Flaw("no-currency", "7.8.1", True, _no_currency),
    Flaw("no-language", "4.1.1", True, _language_attribute),
    Flaw("no-sector", "6.2.2", True, _no_sector),
    Flaw("no-geography", "3.7.1", True, _no_geography),
    Flaw("start-after-end", "11.1.2", True, _start_after_end),
    Flaw("start-in-future", "11.1.4", True, _start_in_future),
    Flaw("transaction-in-future", "11.2.1", True, _transaction_in_future),
    Flaw("updated-in-future", "11.1.1", True, _updated_in_future),
    Flaw("long-budget", "7.5.3", True, _long_budget),
    Flaw("budget-backwards", "8.6.3", True, _budget_backwards),
    Flaw("empty-title", "4.3.1", True, _empty_title),
    Flaw("identifier-with-space", "1.3.1", True, _identifier_with_space),
    Flaw("foreign-identifier", "1.1.21", True, _foreign_identifier),
    Flaw("identifier-of-organisation", "1.1.3", True, _identifier_of_organisation),
    Flaw("unnamed-participant", "6.10.1", True, _unnamed_participant),
    Flaw("no-significance", "6.14.1", True, _no_significance),
    Flaw("period-backwards", "8.6.1", True, _period_backwards),
    Flaw("unknown-language", None, True, _unknown_language),
    Flaw("missing-title", "0.3.1", False, _missing_title),
    Flaw("words-for-a-number", "0.3.1", False, _words_for_a_number),
    Flaw("written-date", "0.3.1", False, _written_date),
)
LATE_FLAWS: tuple[Flaw, ...] = (
    Flaw("out-of-order", "0.3.1", False, _out_of_order),
    Flaw("unknown-element", "0.3.1", False, _unknown_element),
)
# Not a change of one activity but a second one with the same identifier; planted by the writer of the files.
DUPLICATE_IDENTIFIER = "duplicate-identifier"
DUPLICATE_RULE = "1.1.2"


# --- faults of a whole file --------------------------------------------------------------------------------------------------------

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><title>Page not found</title></head>
<body><h1>Sorry, this page has moved</h1><p>Our website is new. Please use the search, or write to the web team.</p><br></body>
</html>
"""
_FEED = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>News from the field</title><link>https://www.example.org/</link>
<description>Our latest stories</description><item><title>A new well for the school</title></item></channel></rss>
"""


def _missing(xml: str) -> None:
    del xml


def _truncated(xml: str) -> bytes:
    """Cut in the middle of an activity, as an upload that broke off."""
    data = xml.encode()
    return data[: data.rindex(b"<transaction-type", 0, len(data) * 2 // 3) + 9]


def _wrong_encoding(xml: str) -> bytes:
    """Says UTF-8, is Latin-1: one letter with an accent stops every parser."""
    return xml.replace("<narrative>", "<narrative>Café Señal: ", 1).encode("latin-1", errors="xmlcharrefreplace")


def _unescaped_ampersand(xml: str) -> bytes:
    return xml.replace("<narrative>", "<narrative>Water & sanitation: ", 1).encode()


def _doctype(xml: str) -> bytes:
    head, rest = xml.split("\n", 1)
    return f'{head}\n<!DOCTYPE iati-activities [<!ENTITY org "our organisation">]>\n{rest}'.encode()


def _latin_1(xml: str) -> bytes:
    """Declared and right: old, but readable."""
    return xml.replace('encoding="UTF-8"', 'encoding="ISO-8859-1"', 1).encode("latin-1", errors="xmlcharrefreplace")


def _gzip(xml: str) -> bytes:
    """Without time and system in the header: Python's own gzip writes another header in every other version."""
    data = xml.encode()
    compressor = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = compressor.compress(data) + compressor.flush()
    return b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff" + body + struct.pack("<II", zlib.crc32(data), len(data))


def _relabelled(version: str) -> Callable[[str], bytes]:
    return lambda xml: xml.replace(' version="2.03"', version, 1).encode()


FAULTS: dict[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("missing-file", _missing, False, False),
        Fault("web-page", lambda xml: _PAGE.encode(), False, False, "0.2.1"),
        Fault("empty-file", lambda xml: b"", False, False, "0.1.1"),
        Fault("truncated", _truncated, False, False, "0.1.1"),
        Fault("wrong-encoding", _wrong_encoding, False, False, "0.1.1"),
        Fault("unescaped-ampersand", _unescaped_ampersand, False, False, "0.1.1"),
        Fault("trailing-text", lambda xml: xml.encode() + b"\n-- end of export --\n", False, False, "0.1.1"),
        Fault("other-xml", lambda xml: _FEED.encode(), False, False, "0.2.1"),
        Fault("unknown-version", _relabelled(' version="2.04"'), True, False, "0.6.1"),
        Fault("no-version", _relabelled(""), True, False, "0.6.1"),
        Fault("doctype", _doctype, False, False, "0.1.1"),
        Fault("gzip", _gzip, False, False, "0.1.1"),
        Fault("utf-16", lambda xml: b"\xff\xfe" + xml.replace('encoding="UTF-8"', 'encoding="UTF-16"', 1).encode("utf-16-le"), True, True),
        Fault("byte-order-mark", lambda xml: b"\xef\xbb\xbf" + xml.encode(), True, True),
        Fault("latin-1", _latin_1, True, True),
    )
}  # fmt: skip
