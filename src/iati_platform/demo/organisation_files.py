"""Organisation files of the demonstration: forward budgets, spending and documents of one reporting organisation."""

from __future__ import annotations

from datetime import date

from iati_platform.demo.markup import XML_LANG, Element, element, narratives
from iati_platform.demo.organisations import Organisation
from iati_platform.demo.places import COUNTRIES


def organisation_record(organisation: Organisation, base: date) -> Element:
    """The iati-organisation element in the shape of 2.03."""
    main = organisation.languages[0]
    name = {main: organisation.name}
    yearly = round(organisation.total * organisation.activities / 4000) * 1000
    made = element(
        "iati-organisation",
        element("organisation-identifier", text=organisation.identifier),
        narratives("name", name, main),
        narratives("reporting-org", name, main, ref=organisation.identifier, type=organisation.type),
        *(
            _total_budget(organisation, year, yearly + (year - base.year) * (yearly // 20), base)
            for year in range(base.year - 1, base.year + 3)
        ),
        *(
            _country_budget(code, year, yearly // (len(organisation.countries) + 1) // 100 * 100, base)
            for code in organisation.countries
            for year in range(base.year, base.year + 2)
        ),
        *(_spent(year, yearly - (base.year - year) * (yearly // 25)) for year in range(base.year - 3, base.year)),
        *_documents(organisation, base),
        last_updated_datetime=f"{date(base.year, 1, 15).isoformat()}T10:00:00Z",
        default_currency=organisation.currency,
    )
    made.attributes[XML_LANG] = main
    return made


def _period(year: int) -> tuple[Element, Element]:
    return element("period-start", iso_date=f"{year}-01-01"), element("period-end", iso_date=f"{year}-12-31")


def _value(amount: int, year: int) -> Element:
    return element("value", text=str(amount), value_date=f"{year}-01-01")


def _total_budget(organisation: Organisation, year: int, amount: int, base: date) -> Element:
    status = "2" if year <= base.year else "1"
    lines = (
        element(
            "budget-line",
            _value(amount * share // 100, year),
            element("narrative", text=text),
            ref=f"{organisation.short_name}-{year}-{number}",
        )
        for number, (text, share) in enumerate((("Programmes and grants", 88), ("People and offices", 12)), 1)
    )
    return element("total-budget", *_period(year), _value(amount, year), *lines, status=status)


def _country_budget(code: str, year: int, amount: int, base: date) -> Element:
    country = element("recipient-country", element("narrative", text=COUNTRIES[code].name), code=code)
    return element("recipient-country-budget", country, *_period(year), _value(amount, year), status="2" if year <= base.year else "1")


def _spent(year: int, amount: int) -> Element:
    return element("total-expenditure", *_period(year), _value(amount, year))


def _documents(organisation: Organisation, base: date) -> list[Element]:
    return [
        element(
            "document-link",
            element("title", element("narrative", text=f"{title} {base.year - 1}")),
            element("category", code=category),
            element("language", code=organisation.languages[0]),
            element("document-date", iso_date=f"{base.year}-03-31"),
            *(element("recipient-country", code=code) for code in organisation.countries if category == "B03"),
            url=f"https://www.{organisation.short_name}.example.org/{slug}-{base.year - 1}.pdf",
            format="application/pdf",
        )
        for title, category, slug in (("Annual report", "B01", "annual-report"), ("Country strategy paper", "B03", "strategy"))
    ]
