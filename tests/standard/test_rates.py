"""Exchange rates: nearest month's end, never one too far away, never one from the future."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest

from iati_platform import standard


def test_the_nearest_months_end_is_taken_and_named() -> None:
    rates = standard.exchange_rates()
    euro = rates.rate("EUR", date(2020, 6, 10))
    assert euro is not None
    assert (euro.currency, euro.day, euro.distance) == ("EUR", date(2020, 5, 31), 10)
    assert euro.rate == pytest.approx(0.8982, abs=0.0005)
    dollar = rates.rate("USD", date(2020, 6, 30))
    assert dollar is not None
    assert (dollar.rate, dollar.distance) == (1.0, 0)
    assert rates.to_usd(100, "USD", date(2020, 6, 30)) == 100.0


def test_a_rate_too_far_away_or_unknown_is_none() -> None:
    rates = standard.exchange_rates()
    assert rates.rate("FRF", date(2020, 1, 1)) is None
    assert rates.rate("QQQ", date(2020, 1, 1)) is None
    assert rates.rate("EUR", date(1970, 1, 1)) is None
    assert rates.rate("USD", date(2045, 1, 1)) is None
    assert rates.to_usd(1, "FRF", date(2020, 1, 1)) is None
    franc = rates.rate("FRF", date(2020, 1, 1), within=36_500)
    assert franc is not None
    assert (franc.day, franc.distance) == (date(1998, 12, 31), 7671)


def test_the_set_has_no_future_rows() -> None:
    rates = standard.exchange_rates()
    assert (len(rates.currencies), len(rates.rows()), rates.last) == (173, 117_961, date(2026, 7, 31))
    assert all(rate > 0 for _, _, rate in rates.rows())


def test_the_rates_are_those_of_the_source(shared: Path) -> None:
    ours = {(currency, day): rate for currency, day, rate in standard.exchange_rates().rows()}
    with (shared / "standard/exchange-rates/imf_exchangerates_monthly.csv").open(encoding="utf-8", newline="") as lines:
        theirs = {(row["Currency"], date.fromisoformat(row["Date"])): float(row["Rate"]) for row in csv.DictReader(lines)}
    left_out = theirs.keys() - ours.keys()
    assert {currency for currency, _ in left_out} == {"ZWG", "EUR", "FRF", "ITL", "NLG", "SIT"}
    assert {day for currency, day in left_out if currency == "ZWG"} == {date(2027, 3, 31)}
    assert max(day for currency, day in left_out if currency == "EUR") == date(1998, 12, 31)
    for key, rate in ours.items():
        assert rate == pytest.approx(theirs[key], rel=1e-8)
