"""What statistics need of an activity's transactions, gathered in one visit of each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from iati_platform.dashboard.facts.vocabulary import DATES

if TYPE_CHECKING:
    from iati_platform.reading import Node

_NOTHING: dict[str, str] = {}


class Transaction:
    """One transaction. Texts are as published, "" where absent; `date` is the parsed transaction date or else value date, "" for none."""

    __slots__ = (
        "aid_types", "currency", "date", "humanitarian", "iso_date", "places", "provider", "receiver", "sectors", "type", "value", "value_date",
    )  # fmt: skip

    def __init__(self, node: Node) -> None:
        self.humanitarian = node[1].get("humanitarian", "")
        self.type = self.value = self.currency = self.value_date = self.iso_date = ""
        self.provider: dict[str, str] | None = None
        self.receiver: dict[str, str] | None = None
        self.sectors: Sequence[tuple[str, str]] = ()
        self.aid_types: Sequence[str] = ()
        self.places = 0
        day: str | None = None
        for spec, attributes, text, _, _ in node[3]:
            name = spec.name
            if name == "value":
                self.value = text
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
