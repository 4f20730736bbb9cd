"""Monthly exchange rates to the US dollar (source: International Monetary Fund; see NOTICE)."""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from functools import cache

from iati_platform.standard.tables import read_text


@dataclass(frozen=True, slots=True)
class Rate:
    """`rate` units of `currency` were one US dollar on `day` (a month's end), `distance` days from the day asked for."""

    currency: str
    rate: float
    day: date
    distance: int


class ExchangeRates:
    """All rates by currency. Months are counted from the year 0."""

    def __init__(self, series: dict[str, tuple[list[date], list[float]]]) -> None:
        self._series = series

    @property
    def currencies(self) -> frozenset[str]:
        """ISO 4217 codes with at least one rate, and XDR."""
        return frozenset(self._series)

    @property
    def last(self) -> date:
        """The newest month's end that any currency has."""
        return max(days[-1] for days, _ in self._series.values())

    def rate(self, currency: str, day: date, within: int = 92) -> Rate | None:
        """The rate of the month's end nearest to `day`; None if the currency is unknown or the nearest is more than `within` days off."""
        if currency not in self._series:
            return None
        days, rates = self._series[currency]
        at = bisect_left(days, day)
        nearest = min(range(max(at - 1, 0), min(at + 1, len(days))), key=lambda index: abs((days[index] - day).days))
        distance = abs((days[nearest] - day).days)
        return Rate(currency, rates[nearest], days[nearest], distance) if distance <= within else None

    def to_usd(self, value: float, currency: str, day: date, within: int = 92) -> float | None:
        """`value` in US dollars at `rate(currency, day, within)`; None where there is no such rate."""
        found = self.rate(currency, day, within)
        return value / found.rate if found and found.rate else None

    def rows(self) -> list[tuple[str, date, float]]:
        """Every rate as (currency, month's end, units per US dollar), by currency and date."""
        return [(currency, day, rate) for currency, (days, rates) in self._series.items() for day, rate in zip(days, rates, strict=True)]


@cache
def exchange_rates() -> ExchangeRates:
    """The shipped rates, read once (about 20 ms)."""
    series: dict[str, tuple[list[date], list[float]]] = {}
    for line in read_text("exchange-rates.tsv").splitlines()[1:]:
        currency, year, *months = line.split("\t")
        days, rates = series.setdefault(currency, ([], []))
        for month, cell in enumerate(months, 1):
            if cell != "-":
                days.append(date(int(year), month, monthrange(int(year), month)[1]))
                rates.append(float(cell))
    return ExchangeRates(series)
