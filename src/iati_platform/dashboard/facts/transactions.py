"""What statistics need of an activity's transactions, in columns: one list per fact, one entry per transaction, in document order.

Children are taken from the record's lists of their kind. Where the schema promises one for each transaction, the list is the column;
otherwise ordinals say which transaction a child belongs to.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from iati_platform.dashboard.facts.vocabulary import COMMITMENT, DAC3, DAC5, DATES, FALSE, INCOMING, SPEND, TRUE, XSD_DATES, amounts

if TYPE_CHECKING:
    from iati_platform.reading import Node, Record
    from iati_platform.standard import ElementSpec

_NONE: Final[Sequence[Node]] = ()
_DAC: Final = DAC5 | DAC3
_DATE: Final = DATES.__getitem__
_XSD_DATE: Final = XSD_DATES.__getitem__


class Transactions:
    """Texts are as published, "" where absent; `dates` are parsed, the transaction date or else the value date, "" for none; `amounts` are
    None where the value is not a number; `providers` and `receivers` are attributes of those there are, with the transaction's position.

    What is true of all or some transactions: "all_…" is False when there are none.
    """

    __slots__ = (
        "_nodes", "_parts", "_starts", "aid_types", "all_aid_types", "all_currencies", "all_dac", "all_places", "all_sectors", "amounts",
        "commitments", "commitments_valid", "count", "currencies", "dates", "incoming", "incoming_named", "providers", "receivers",
        "sectors", "spend", "spend_valid", "types", "value_dates",
    )  # fmt: skip

    def __init__(self, nodes: Sequence[Node], record: Record, specs: Mapping[str, ElementSpec], default_currency: str) -> None:
        """`specs`: the children of a transaction by name, foreign ones too."""
        self._nodes = nodes
        self.count = len(nodes)
        self.types: Sequence[str] = ()
        self.dates: Sequence[str] = ()
        self.value_dates: Sequence[str] = ()
        self.currencies: Sequence[str] = ()
        self.amounts: Sequence[Decimal | None] = ()
        self.providers: Sequence[tuple[int, dict[str, str]]] = ()
        self.receivers: Sequence[tuple[int, dict[str, str]]] = ()
        self.sectors = self.aid_types = _NONE
        self.all_aid_types = self.all_currencies = self.all_dac = self.all_places = self.all_sectors = False
        self.commitments = self.spend = self.incoming = False
        self.commitments_valid = self.spend_valid = self.incoming_named = True
        if nodes:
            self._gather(record, specs, default_currency)

    def _gather(self, record: Record, specs: Mapping[str, ElementSpec], default_currency: str) -> None:
        self._starts = starts = [node[4] for node in self._nodes]
        by_spec, valid, count = record.by_spec, record.schema_valid, self.count

        def column(name: str, first: bool = False) -> Sequence[Node | None]:
            """The last (or first) child of this name of each transaction."""
            spec = specs.get(name)
            found = by_spec.get(spec, _NONE) if spec is not None else _NONE
            if len(found) == count and valid and spec is not None and spec.max_occurs == 1:
                return found
            result: list[Node | None] = [None] * count
            for node in reversed(found) if first else found:
                result[bisect_right(starts, node[4]) - 1] = node
            return result

        def every(name: str) -> Sequence[Node]:
            spec = specs.get(name)
            return by_spec.get(spec, _NONE) if spec is not None else _NONE

        kinds = column("transaction-type")
        self.types = types = ["" if node is None else node[1].get("code", "") for node in kinds]
        values = column("value")
        if None in values:
            texts = ["" if node is None else node[2] for node in values]
            attributes = [{} if node is None else node[1] for node in values]
        else:
            texts = [node[2] for node in values if node is not None]
            attributes = [node[1] for node in values if node is not None]
        self.amounts = amounts(texts)
        self.currencies = [own.get("currency", "") for own in attributes]
        self.value_dates = value_dates = [own.get("value-date", "") for own in attributes]
        stated = column("transaction-date", first=True)
        iso_dates = ["" if node is None else node[1].get("iso-date", "") for node in stated]
        if "" in iso_dates:
            days = [
                value_date if node is None else (iso_date or node[2])
                for node, iso_date, value_date in zip(stated, iso_dates, value_dates, strict=True)
            ]
        else:
            days = iso_dates
        self.dates = [*map(_DATE, days)]
        if every("provider-org"):
            self.providers = [(at, node[1]) for at, node in enumerate(column("provider-org")) if node is not None]
        if every("receiver-org"):
            self.receivers = [(at, node[1]) for at, node in enumerate(column("receiver-org")) if node is not None]
        self.sectors, self.aid_types = every("sector"), every("aid-type")
        dated = [*map(_XSD_DATE, value_dates)]
        self.all_currencies = all(dated) and (bool(default_currency) or "" not in self.currencies)
        self._judge_types(set(types), dated, iso_dates)
        if places := (*every("recipient-country"), *every("recipient-region")):
            self.all_places = self._all_have(places)
        if self.sectors:
            self.all_sectors = self._all_have(self.sectors)
            self.all_dac = self.all_sectors and self._all_have([node for node in self.sectors if node[1].get("vocabulary", "") in _DAC])
        if self.aid_types:
            self.all_aid_types = self._all_have([node for node in self.aid_types if node[1].get("code")])

    def _judge_types(self, kinds: set[str], dated: list[bool], iso_dates: list[str]) -> None:
        self.spend, self.commitments = not SPEND.isdisjoint(kinds), not COMMITMENT.isdisjoint(kinds)
        self.incoming = not INCOMING.isdisjoint(kinds)
        if (self.spend or self.commitments) and (None in self.amounts or not all(dated)):
            invalid = {
                kind
                for kind, stated, by_value, day in zip(self.types, self.amounts, dated, iso_dates, strict=True)
                if stated is None or not (by_value or XSD_DATES[day])
            }
            self.spend_valid, self.commitments_valid = SPEND.isdisjoint(invalid), COMMITMENT.isdisjoint(invalid)
        if self.incoming:
            named = {at for at, own in self.providers if "provider-activity-id" in own}
            self.incoming_named = all(at in named for at, kind in enumerate(self.types) if kind in INCOMING)

    def _all_have(self, nodes: Sequence[Node]) -> bool:
        """Every transaction has one of these children."""
        starts = self._starts
        return len(nodes) >= self.count and len({bisect_right(starts, node[4]) for node in nodes}) == self.count

    def all_have_aid_type(self, codes: frozenset[str]) -> bool:
        return self._all_have([node for node in self.aid_types if node[1].get("code", "") in codes]) if self.count else True

    def some_humanitarian(self) -> bool:
        """One says so."""
        for node in self._nodes:  # noqa: SIM110 (a generator costs twice as much)
            if node[1].get("humanitarian") in TRUE:
                return True
        return False

    def humanitarian_sectors(self) -> list[tuple[str, str]]:
        """(vocabulary, code) of the sectors of transactions that do not say they are not humanitarian."""
        nodes, starts = self._nodes, self._starts if self.sectors else ()
        return [
            (node[1].get("vocabulary", ""), node[1].get("code", ""))
            for node in self.sectors
            if nodes[bisect_right(starts, node[4]) - 1][1].get("humanitarian") not in FALSE
        ]
