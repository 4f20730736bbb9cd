"""What statistics need of an activity's transactions, gathered in one visit of each and one look at all of them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from iati_platform.dashboard.facts.vocabulary import COMMITMENT, DAC3, DAC5, DATES, INCOMING, SPEND, XSD_DATES, amount

if TYPE_CHECKING:
    from iati_platform.reading import Node


class Transaction:
    """One transaction. Texts are as published, "" where absent; `date` is the parsed transaction date or else value date, "" for none;
    `amount` None if the value is not a number; `provider` and `receiver` are attributes."""

    __slots__ = (
        "aid_types", "amount", "currency", "date", "humanitarian", "iso_date", "places", "provider", "receiver", "sectors", "type",
        "value_date",
    )  # fmt: skip

    def __init__(self, node: Node) -> None:
        self.humanitarian = node[1].get("humanitarian", "")
        self.type = self.currency = self.value_date = self.iso_date = ""
        self.provider: dict[str, str] | None = None
        self.receiver: dict[str, str] | None = None
        self.sectors: Sequence[tuple[str, str]] = ()
        self.aid_types: Sequence[str] = ()
        self.amount: Decimal | None = None
        self.places = 0
        day: str | None = None
        for spec, attributes, text, _, _ in node[3]:
            name = spec.name
            if name == "value":
                self.amount = amount(text)
                self.currency = attributes.get("currency", "")
                self.value_date = attributes.get("value-date", "")
            elif name == "transaction-type":
                self.type = attributes.get("code", "")
            elif name == "transaction-date":
                if day is None:
                    self.iso_date = attributes.get("iso-date", "")
                    day = self.iso_date or text
            elif name == "provider-org":
                self.provider = attributes
            elif name == "receiver-org":
                self.receiver = attributes
            elif name == "sector":
                self.sectors = (*self.sectors, (attributes.get("vocabulary", ""), attributes.get("code", "")))
            elif name == "aid-type":
                self.aid_types = (*self.aid_types, attributes.get("code", ""))
            elif name == "recipient-country" or name == "recipient-region":
                self.places += 1
        self.date = DATES[self.value_date if day is None else day]


class Summary:
    """What is true of all or some transactions of an activity. "all_…" is False when there are none."""

    __slots__ = (
        "all_aid_types", "all_currencies", "all_dac", "all_places", "all_sectors", "commitments", "commitments_valid", "incoming",
        "incoming_named", "spend", "spend_valid",
    )  # fmt: skip

    def __init__(self, transactions: Sequence[Transaction], default_currency: str) -> None:
        some = bool(transactions)
        self.all_aid_types = self.all_currencies = self.all_dac = self.all_places = self.all_sectors = some
        self.commitments = self.spend = self.incoming = False
        self.commitments_valid = self.spend_valid = self.incoming_named = True
        for each in transactions:
            kind = each.type
            dated = XSD_DATES[each.value_date]
            if kind in SPEND:
                self.spend = True
                if each.amount is None or not (dated or XSD_DATES[each.iso_date]):
                    self.spend_valid = False
            else:
                if kind in COMMITMENT:
                    self.commitments = True
                    if each.amount is None or not (dated or XSD_DATES[each.iso_date]):
                        self.commitments_valid = False
                if kind in INCOMING:
                    self.incoming = True
                    if each.provider is None or "provider-activity-id" not in each.provider:
                        self.incoming_named = False
            if not each.places:
                self.all_places = False
            if not each.sectors:
                self.all_sectors = self.all_dac = False
            elif self.all_dac and not any(vocabulary in DAC5 or vocabulary in DAC3 for vocabulary, _ in each.sectors):
                self.all_dac = False
            if not each.aid_types or not any(each.aid_types):
                self.all_aid_types = False
            if not dated or not (each.currency or default_currency):
                self.all_currencies = False
