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
    """All rates by currency. Months are counted from January of the year 0; every rate is that of a month's last day."""

    def __init__(self, series: dict[str, tuple[list[int], list[float]]]) -> None:
        self._series = series

    @property
    def currencies(self) -> frozenset[str]:
        """ISO 4217 codes with at least one rate, and XDR."""
        return frozenset(self._series)

    @property
    def last(self) -> date:
        """The newest month's end that any currency has."""
        return _month_end(max(months[-1] for months, _ in self._series.values()))

    def rate(self, currency: str, day: date, within: int = 92) -> Rate | None:
        """The rate of the month's end nearest to `day`; None if the currency is unknown or the nearest is more than `within` days off."""
        if currency not in self._series:
            return None
        months, rates = self._series[currency]
        at = bisect_left(months, day.year * 12 + day.month - 1)
        near = range(max(at - 1, 0), min(at + 1, len(months)))
        distance, nearest = min((abs((_month_end(months[index]) - day).days), index) for index in near)
        return Rate(currency, rates[nearest], _month_end(months[nearest]), distance) if distance <= within else None

    def to_usd(self, value: float, currency: str, day: date, within: int = 92) -> float | None:
        """`value` in US dollars at `rate(currency, day, within)`; None where there is no such rate."""
        found = self.rate(currency, day, within)
        return value / found.rate if found and found.rate else None

    def rows(self) -> list[tuple[str, date, float]]:
        """Every rate as (currency, month's end, units per US dollar), by currency and date."""
        return [
            (currency, _month_end(month), rate)
            for currency, (months, rates) in self._series.items()
            for month, rate in zip(months, rates, strict=True)
        ]


@cache
def _month_end(month: int) -> date:
    year, index = divmod(month, 12)
    return date(year, index + 1, monthrange(year, index + 1)[1])


@cache
def exchange_rates() -> ExchangeRates:
    """The shipped rates, read once (about 30 ms)."""
    series: dict[str, tuple[list[int], list[float]]] = {}
    for line in read_text("exchange-rates.tsv").splitlines()[1:]:
        currency, year, *cells = line.split("\t")
        months, rates = series.setdefault(currency, ([], []))
        for month, cell in enumerate(cells, int(year) * 12):
            if cell != "-":
                months.append(month)
                rates.append(float(cell))
    return ExchangeRates(series)
