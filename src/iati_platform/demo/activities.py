"""An activity's element tree from a planned project: the full shape a careful publisher gives in version 2.03.

Sections that real publishers often leave out are left out by chance, so that completeness differs between activities and organisations.
"""

from __future__ import annotations

import random
from datetime import date, timedelta

from iati_platform.demo.markup import XML_LANG, Element, element, narratives
from iati_platform.demo.organisations import Organisation
from iati_platform.demo.projects import Project
from iati_platform.demo.themes import Indicator

_IMPLEMENTERS = (
    "district council",
    "teachers' college",
    "county hospital",
    "farmers' union",
    "water users' association",
    "women's federation",
)
_HUMANITARIAN = {"emergency"}
_LOANS = {"40", "15"}
_ORGANISATION_WEB = "https://www.{short_name}.example.org"


def activity(project: Project, rng: random.Random, base: date) -> Element:
    """The iati-activity element in the shape of 2.03; the order of its children is left to markup.fit."""
    organisation = project.organisation
    humanitarian = project.theme.name in _HUMANITARIAN
    updated = base - timedelta(days=rng.randint(32, 230))
    made = element(
        "iati-activity",
        element("iati-identifier", text=project.identifier),
        narratives(
            "reporting-org", {organisation.languages[0]: organisation.name}, organisation.languages[0], ref=organisation.identifier,
            type=organisation.type, secondary_reporter="1" if organisation.source == "secondary_source" else None,
        ),
        narratives("title", project.titles, organisation.languages[0]),
        *_descriptions(project, rng),
        *_participants(project, rng),
        element("activity-status", code=project.status),
        *_dates(project, rng, base),
        *_contact(organisation),
        element("activity-scope", code="4" if project.parent is None else "6"),
        *_where(project, rng),
        *_what(project, rng),
        element("collaboration-type", code="2" if organisation.type == "40" else "1"),
        element("default-flow-type", code="10" if organisation.type in {"10", "11", "15", "40"} else "30"),
        element("default-finance-type", code="421" if _is_loan(project) else "110"),
        element("default-aid-type", code="B03" if organisation.type in {"10", "60"} else "C01"),
        element("default-tied-status", code="5"),
        *_budgets(project, base),
        *_planned_disbursements(project, base),
        *_transactions(project, rng, base),
        *_documents(project, rng),
        *_relations(project),
        *_results(project, rng, base),
        last_updated_datetime=f"{updated.isoformat()}T08:30:00Z",
        default_currency=organisation.currency,
        hierarchy="2" if project.parent else "1",
        humanitarian="1" if humanitarian else None,
    )  # fmt: skip
    made.attributes[XML_LANG] = organisation.languages[0]
    if rng.random() < 0.12:
        made.children.append(
            element("conditions", element("condition", _narrative("Accounts are audited every year."), type="2"), attached="1")
            if organisation.languages[0] == "en"
            else element("conditions", attached="0")
        )
    if _is_loan(project):
        made.children.append(_loan(project))
    return made


def _narrative(text: str, language: str | None = None) -> Element:
    return Element("narrative", {XML_LANG: language} if language else {}, text)


def _is_loan(project: Project) -> bool:
    return project.organisation.type in _LOANS and project.total >= 2_000_000 and project.parent is None


def _descriptions(project: Project, rng: random.Random) -> list[Element]:
    main = project.organisation.languages[0]
    aims = {language: project.theme.aims.get(language, ()) for language in project.organisation.languages}
    pick = rng.random()
    shortest = min((len(choices) for choices in aims.values() if choices), default=0)
    texts = {language: choices[int(pick * shortest)] for language, choices in aims.items() if choices}
    texts = texts or {main: project.theme.aims["en"][0]}
    made = [narratives("description", texts, main, type="1")]
    if main == "en" and rng.random() < 0.7:
        years = max(1, round((project.end - project.start).days / 365))
        partner = project.grantee.name if project.grantee else project.organisation.name
        made.append(
            element(
                "description",
                _narrative(
                    f"Over {years} year{'s' if years > 1 else ''}, {partner} works in {project.place.name} and the districts around it "
                    f"with local authorities and {rng.choice(_IMPLEMENTERS)} staff. Activities are planned with the people they are for, "
                    f"reported every quarter and reviewed in public once a year."
                ),
                type="2",
            )
        )
    if main == "en" and rng.random() < 0.3:
        made.append(element("description", _narrative(f"Families in and around {project.place.name} with the lowest incomes."), type="3"))
    return made


def _party(tag: str, organisation: Organisation, **attributes: str | None) -> Element:
    return narratives(
        tag, {organisation.languages[0]: organisation.name}, organisation.languages[0], ref=organisation.identifier, **attributes
    )


def _participants(project: Project, rng: random.Random) -> list[Element]:
    organisation = project.organisation
    funder = project.funder
    made = [_party("participating-org", organisation, type=organisation.type, role="2")]
    if funder is not None:
        made.append(
            _party("participating-org", funder.organisation, type=funder.organisation.type, role="1", activity_id=funder.identifier)
        )
    else:
        made.append(_party("participating-org", organisation, type=organisation.type, role="1"))
    if project.grantee is not None:
        made.append(_party("participating-org", project.grantee, type=project.grantee.type, role="4"))
    elif organisation.type in {"10", "40", "60", "30"}:
        partner = f"{project.place.name} {rng.choice(_IMPLEMENTERS)}"
        made.append(
            element("participating-org", _narrative(partner, "en" if organisation.languages[0] != "en" else None), type="11", role="4")
        )
    else:
        made.append(_party("participating-org", organisation, type=organisation.type, role="4"))
    return made


def _dates(project: Project, rng: random.Random, base: date) -> list[Element]:
    made = [element("activity-date", type="1", iso_date=project.start.isoformat())]
    if project.begun:
        late = min(project.start + timedelta(days=rng.choice((0, 0, 14, 45))), base)
        made.append(element("activity-date", type="2", iso_date=late.isoformat()))
    made.append(element("activity-date", type="3", iso_date=project.end.isoformat()))
    if project.status in {"3", "4"}:
        made.append(element("activity-date", type="4", iso_date=min(project.end + timedelta(days=rng.choice((0, 30))), base).isoformat()))
    return made


def _contact(organisation: Organisation) -> list[Element]:
    return [
        element(
            "contact-info",
            narratives("organisation", {organisation.languages[0]: organisation.name}, organisation.languages[0]),
            element("email", text=f"projects@{organisation.short_name}.example.org"),
            element("website", text=_ORGANISATION_WEB.format(short_name=organisation.short_name)),
            type="1",
        )
    ]


def _where(project: Project, rng: random.Random) -> list[Element]:
    country = project.country
    made = []
    if rng.random() < 0.06:
        made.append(element("recipient-country", code=country.code, percentage="80"))
        made.append(element("recipient-region", code=country.region, vocabulary="1", percentage="20"))
    else:
        made.append(element("recipient-country", code=country.code, percentage="100"))
    if rng.random() < 0.75:
        place = project.place
        made.append(
            element(
                "location",
                element("location-reach", code="1"),
                element("name", _narrative(place.name)),
                element(
                    "point",
                    element("pos", text=f"{place.latitude:.2f} {place.longitude:.2f}"),
                    srsName="http://www.opengis.net/def/crs/EPSG/0/4326",
                ),
                element("exactness", code="2"),
                element("location-class", code="2"),
                ref=f"{country.code}-{place.name.split()[0].upper()[:3]}",
            )
        )
    return made


def _what(project: Project, rng: random.Random) -> list[Element]:
    theme = project.theme
    first = rng.randrange(len(theme.sectors))
    if len(theme.sectors) > 1 and rng.random() < 0.45:
        second = (first + 1) % len(theme.sectors)
        share = rng.choice((50, 60, 70, 75))
        made = [
            element("sector", vocabulary="1", code=theme.sectors[first], percentage=str(share)),
            element("sector", vocabulary="1", code=theme.sectors[second], percentage=str(100 - share)),
        ]
    else:
        made = [element("sector", vocabulary="1", code=theme.sectors[first], percentage="100")]
    if rng.random() < 0.5:
        made.extend(element("tag", code=goal, vocabulary="2") for goal in theme.goals)
    if rng.random() < 0.7:
        made.append(element("policy-marker", vocabulary="1", code=theme.marker[0], significance=theme.marker[1]))
    if theme.name in _HUMANITARIAN:
        code = f"FL-{project.start.year}-000{project.start.month:03d}-{project.country.code}X"
        made.append(
            element(
                "humanitarian-scope",
                _narrative(f"Emergency response {project.start.year}, {project.country.name}", "en"),
                type="1",
                vocabulary="1-2",
                code=code,
            )
        )
    return made


def years(start: date, end: date) -> list[tuple[date, date]]:
    """Calendar years from the one to the other, the first and the last cut to the dates."""
    return [
        (max(start, date(year, 1, 1)), min(end, date(year, 12, 31)))
        for year in range(start.year, end.year + 1)
    ]  # fmt: skip


def _shares(total: int, spans: list[tuple[date, date]]) -> list[int]:
    """The total over the spans by their days; rounded to tens, the last takes the rest."""
    days = [(last - first).days + 1 for first, last in spans]
    amounts = [total * day // sum(days) // 10 * 10 for day in days]
    amounts[-1] += total - sum(amounts)
    return amounts


def _budgets(project: Project, base: date) -> list[Element]:
    spans = years(project.start, project.end)
    return [
        element(
            "budget",
            element("period-start", iso_date=first.isoformat()),
            element("period-end", iso_date=last.isoformat()),
            element("value", text=str(amount), value_date=first.isoformat()),
            type="1",
            status="2" if first <= base else "1",
        )
        for (first, last), amount in zip(spans, _shares(project.total, spans), strict=True)
    ]


def _planned_disbursements(project: Project, base: date) -> list[Element]:
    """Funders that know their grantee say when the next money comes."""
    if project.grantee is None or project.status not in {"1", "2"}:
        return []
    spans = [span for span in years(project.start, project.end) if span[0] > base]
    amounts = _shares(project.total // 4, spans) if spans else []
    return [
        element(
            "planned-disbursement",
            element("period-start", iso_date=first.isoformat()),
            element("period-end", iso_date=last.isoformat()),
            element("value", text=str(amount), value_date=first.isoformat()),
            _party("provider-org", project.organisation, provider_activity_id=project.identifier, type=project.organisation.type),
            _party("receiver-org", project.grantee, type=project.grantee.type),
            type="1",
        )
        for (first, last), amount in zip(spans, amounts, strict=True)
    ]


def _transaction(kind: str, when: date, amount: int, text: dict[str, str], main: str, *parties: Element, ref: str) -> Element:
    return element(
        "transaction",
        element("transaction-type", code=kind),
        element("transaction-date", iso_date=when.isoformat()),
        element("value", text=str(amount), value_date=when.isoformat()),
        narratives("description", {main: text.get(main, text["en"])}, main),
        *parties,
        ref=ref,
    )


_WORDS = {
    "commitment": {"en": "Commitment", "fr": "Engagement", "es": "Compromiso", "pt": "Compromisso"},
    "disbursement": {"en": "Disbursement", "fr": "Versement", "es": "Desembolso", "pt": "Desembolso"},
    "expenditure": {"en": "Project expenditure", "fr": "Dépenses du projet", "es": "Gasto del proyecto", "pt": "Despesa do projeto"},
    "income": {"en": "Grant received", "fr": "Subvention reçue", "es": "Subvención recibida", "pt": "Subvenção recebida"},
}


def _hundreds(amount: float) -> int:
    return max(100, round(amount / 100) * 100)


def _transactions(project: Project, rng: random.Random, base: date) -> list[Element]:
    if not project.begun:
        return []
    organisation = project.organisation
    main = organisation.languages[0]
    until = min(project.end, base)
    last = base if project.status in {"2", "3", "6"} else until
    spent = (
        project.total
        if project.status == "4"
        else round(project.total * (until - project.start).days / max(1, (project.end - project.start).days))
    )
    step = rng.choice((90, 120, 180))
    days = [project.start + timedelta(days=offset) for offset in range(20, max(21, (last - project.start).days), step)]
    days = [day for day in days if day <= base][-12:]
    reference = project.identifier.rsplit("-", 1)[1]
    made: list[Element] = []

    def add(kind: str, word: str, when: date, amount: int, *parties: Element) -> None:
        made.append(_transaction(kind, when, amount, _WORDS[word], main, *parties, ref=f"{reference}/{len(made) + 1}"))

    own = _party("provider-org", organisation, provider_activity_id=project.identifier, type=organisation.type)
    if project.funder is not None:
        funder = project.funder
        giver = _party("provider-org", funder.organisation, provider_activity_id=funder.identifier, type=funder.organisation.type)
        add("11", "income", project.start, project.total, giver)
        for number, when in enumerate(days[::2]):
            add("1", "income", when, _hundreds(spent / max(1, len(days[::2])) + 100 * (number % 3)), giver)
    else:
        receiver = [_party("receiver-org", project.grantee, type=project.grantee.type)] if project.grantee else []
        add("2", "commitment", project.start, project.total, own, *receiver)
    spending = organisation.funded or project.parent is not None
    for number, when in enumerate(days):
        amount = _hundreds(spent / max(1, len(days)) * (0.9 + 0.2 * rng.random()))
        if spending:
            add("4", "expenditure", when, amount)
        else:
            receiver = [_party("receiver-org", project.grantee, type=project.grantee.type)] if project.grantee else []
            add("3", "disbursement", when, amount, own, *receiver)
        if number == 0 and project.theme.name in _HUMANITARIAN:
            made[-1].attributes["humanitarian"] = "1"
    return made


def _documents(project: Project, rng: random.Random) -> list[Element]:
    main = project.organisation.languages[0]
    web = _ORGANISATION_WEB.format(short_name=project.organisation.short_name)
    number = project.identifier.rsplit("-", 1)[1]
    made = []
    if rng.random() < 0.4:
        made.append(
            _document(
                f"{web}/projects/{number}",
                "text/html",
                "A12",
                {"en": "Project page", "fr": "Page du projet", "es": "Página del proyecto"},
                main,
                project.start,
            )
        )
    if project.status in {"3", "4"} and rng.random() < 0.6:
        made.append(
            _document(
                f"{web}/reports/{number}-final.pdf",
                "application/pdf",
                "A07",
                {"en": "Final evaluation", "fr": "Évaluation finale", "es": "Evaluación final"},
                main,
                project.end,
            )
        )
    elif project.begun and rng.random() < 0.3:
        made.append(
            _document(
                f"{web}/reports/{number}-review.pdf",
                "application/pdf",
                "A08",
                {"en": "Annual review", "fr": "Revue annuelle", "es": "Revisión anual"},
                main,
                project.start,
            )
        )
    return made


def _document(url: str, media_type: str, category: str, titles: dict[str, str], main: str, written: date) -> Element:
    return element(
        "document-link",
        narratives("title", {main: titles.get(main, titles["en"])}, main),
        element("category", code=category),
        element("language", code=main),
        element("document-date", iso_date=written.isoformat()),
        url=url,
        format=media_type,
    )


def _relations(project: Project) -> list[Element]:
    made = [element("related-activity", ref=project.parent.identifier, type="1")] if project.parent else []
    made.extend(element("related-activity", ref=child.identifier, type="2") for child in project.children)
    if project.funder is not None:
        made.append(element("related-activity", ref=project.funder.identifier, type="5"))
    return made


def _results(project: Project, rng: random.Random, base: date) -> list[Element]:
    if project.status in {"1", "5"} or rng.random() < 0.45:
        return []
    main = project.organisation.languages[0]
    indicators = [_indicator(indicator, project, rng, base, main) for indicator in project.theme.indicators]
    titles = {
        "en": "People reached and services improved",
        "fr": "Personnes touchées et services améliorés",
        "es": "Personas atendidas y servicios mejorados",
    }
    return [
        element("result", narratives("title", {main: titles.get(main, titles["en"])}, main), *indicators, type="2", aggregation_status="0")
    ]


def _indicator(indicator: Indicator, project: Project, rng: random.Random, base: date, main: str) -> Element:
    language = main if main in indicator.titles else "en"
    start_value = round(indicator.target * rng.uniform(0.1, 0.4))
    baseline_year = str(project.start.year - 1)
    baseline = element("baseline", year=baseline_year, iso_date=f"{baseline_year}-12-31", value=str(start_value))
    spans = years(project.start, project.end)
    periods = []
    for number, (first, last) in enumerate(spans, 1):
        target = start_value + (indicator.target - start_value) * number // len(spans)
        period = element(
            "period",
            element("period-start", iso_date=first.isoformat()),
            element("period-end", iso_date=last.isoformat()),
            element("target", value=str(target)),
        )
        if last < base:
            period.children.append(element("actual", value=str(max(0, round(target * rng.uniform(0.7, 1.15))))))
        periods.append(period)
    return element(
        "indicator",
        narratives("title", {language: indicator.titles[language]}, main),
        baseline,
        *periods,
        measure=indicator.measure,
        ascending="1",
    )


def _loan(project: Project) -> Element:
    first = project.start + timedelta(days=5 * 365)
    return element(
        "crs-add",
        element(
            "loan-terms",
            element("repayment-type", code="1"),
            element("repayment-plan", code="2"),
            element("commitment-date", iso_date=project.start.isoformat()),
            element("repayment-first-date", iso_date=first.isoformat()),
            element("repayment-final-date", iso_date=(first + timedelta(days=20 * 365)).isoformat()),
            rate_1="1.75",
        ),
    )
