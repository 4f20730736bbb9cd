"""Who does what, where, when and with whose money: the plan of the demonstration, before any XML.

Funders are planned first; an organisation that works with others' money looks for a grant among their projects in the same country, so that
money can be followed from a ministry to a village.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

from iati_platform.demo.organisations import ORGANISATIONS, Organisation
from iati_platform.demo.places import COUNTRIES, Country, Place
from iati_platform.demo.themes import THEMES, Theme


@dataclass(slots=True)
class Project:
    """One activity to be. status: code of ActivityStatus. total: whole cost in the organisation's currency.

    parent, children: programme and its projects, when there is a programme. funder: the project that pays for this one; grantee: the
    organisation that a project of a funder gives its money to.
    """

    organisation: Organisation
    identifier: str
    theme: Theme
    country: Country
    place: Place
    titles: dict[str, str]
    start: date
    end: date
    status: str
    total: int
    parent: Project | None = None
    children: list[Project] = field(default_factory=list)
    funder: Project | None = None
    grantee: Organisation | None = None

    @property
    def begun(self) -> bool:
        return self.status in {"2", "3", "4", "5", "6"}


_STATUS_BY_CHANCE = (("5", 0.015), ("6", 0.02))


def plan(seed: int, base: date, scale: float, only: frozenset[str] | None) -> dict[str, list[list[Project]]]:
    """Organisation short name -> datasets -> projects. The same arguments always give the same plan."""
    planned: dict[str, list[list[Project]]] = {}
    grants: dict[str, list[Project]] = {}
    for organisation in ORGANISATIONS:
        if only is not None and organisation.short_name not in only:
            continue
        datasets = _plan_of(organisation, random.Random(f"{seed}/{organisation.short_name}"), base, scale, grants)
        planned[organisation.short_name] = datasets
        if not organisation.funded:
            for project in (project for dataset in datasets for project in dataset):
                grants.setdefault(project.country.code, []).append(project)
    return planned


def _plan_of(
    organisation: Organisation, rng: random.Random, base: date, scale: float, grants: dict[str, list[Project]]
) -> list[list[Project]]:
    count = max(organisation.datasets, round(organisation.activities * scale))
    countries = _countries_by_dataset(organisation)
    datasets: list[list[Project]] = []
    number = 0
    for position, codes in enumerate(countries):
        share = count // len(countries) + (1 if position < count % len(countries) else 0)
        dataset: list[Project] = []
        programme: Project | None = None
        for _ in range(share):
            number += 1
            project = _project(organisation, rng, base, number, rng.choice(codes))
            if programme is not None and rng.random() < 0.5 and len(programme.children) < 6:
                _join(programme, project)
            elif not organisation.funded and rng.random() < 0.18:
                programme = project
            if organisation.funded and rng.random() < 0.8:
                _find_grant(project, rng, grants, base)
            dataset.append(project)
        datasets.append(dataset)
    return datasets


def _countries_by_dataset(organisation: Organisation) -> list[list[str]]:
    """The recipient countries of each dataset: dealt out like cards, each dataset at least one."""
    hands: list[list[str]] = [[] for _ in range(organisation.datasets)]
    for position in range(max(organisation.datasets, len(organisation.countries))):
        hands[position % organisation.datasets].append(organisation.countries[position % len(organisation.countries)])
    return hands


def _project(organisation: Organisation, rng: random.Random, base: date, number: int, code: str) -> Project:
    country = COUNTRIES[code]
    theme = THEMES[rng.choice(organisation.themes)]
    place = rng.choice(country.places)
    # Most projects run now; the tail of closed ones is longer than that of planned ones.
    start = base - timedelta(days=round(rng.triangular(-300, 2900, 500)))
    start = start.replace(day=1)
    end = start + timedelta(days=rng.choice((365, 540, 730, 730, 1095, 1095, 1460, 1825)) - 1)
    step = 1000 if organisation.total >= 100_000 else 100
    total = max(1000, round(organisation.total * rng.lognormvariate(-0.2, 0.6) / step) * step)
    return Project(
        organisation,
        f"{organisation.identifier}-{country.code}-{1000 + number}",
        theme,
        country,
        place,
        _titles(organisation, theme, place, rng),
        start,
        end,
        _status(start, end, base, rng),
        total,
    )


def _titles(organisation: Organisation, theme: Theme, place: Place, rng: random.Random) -> dict[str, str]:
    pick = rng.random()
    phase = rng.choice(("", "", "", "", " II", " III"))
    choices = _title_choices(organisation, theme)
    return {language: texts[int(pick * len(texts))].replace("{place}", place.name) + phase for language, texts in choices.items()}


def _title_choices(organisation: Organisation, theme: Theme) -> dict[str, tuple[str, ...]]:
    """The titles an organisation chooses from, per language; as many in each, so that the same place in the rows is the same title."""
    known = {language: theme.titles[language] for language in organisation.languages if language in theme.titles}
    if not known:
        return {organisation.languages[0]: theme.titles["en"]}
    shortest = min(len(texts) for texts in known.values())
    return {language: texts[:shortest] for language, texts in known.items()}


def _status(start: date, end: date, base: date, rng: random.Random) -> str:
    if start > base:
        return "1"
    if end < base - timedelta(days=150):
        return "4"
    if end < base:
        return "3"
    chance = rng.random()
    for code, share in _STATUS_BY_CHANCE:
        if chance < share:
            return code
        chance -= share
    return "2"


def _join(programme: Project, project: Project) -> None:
    """Makes the project part of the programme: same country and theme, inside its dates."""
    project.parent = programme
    project.country = programme.country
    if project.place not in programme.country.places:
        project.place = programme.country.places[len(programme.children) % len(programme.country.places)]
    organisation = project.organisation
    project.identifier = f"{organisation.identifier}-{programme.country.code}-{project.identifier.rsplit('-', 1)[1]}"
    if project.theme is not programme.theme:
        project.theme = programme.theme
    position = len(programme.children)
    project.titles = {
        language: texts[position % len(texts)].replace("{place}", project.place.name)
        for language, texts in _title_choices(organisation, programme.theme).items()
    }
    project.total = max(1000, min(project.total, programme.total // 3 // 1000 * 1000))
    project.start, project.end = programme.start, min(max(project.end, programme.start + timedelta(days=364)), programme.end)
    project.status = programme.status
    programme.children.append(project)


def _find_grant(project: Project, rng: random.Random, grants: dict[str, list[Project]], base: date) -> None:
    """A grant in the same country that is not given away yet and runs at the same time."""
    candidates = [
        grant
        for grant in grants.get(project.country.code, ())
        if grant.grantee is None and not grant.children and grant.start < project.end and grant.end > project.start and grant.begun
    ]
    if not candidates:
        return
    same_theme = [grant for grant in candidates if grant.theme is project.theme]
    grant = rng.choice(same_theme or candidates)
    grant.grantee = project.organisation
    project.funder = grant
    if project.start < grant.start:
        length = project.end - project.start
        project.start, project.end = grant.start, grant.start + length
        project.status = _status(project.start, project.end, base, rng)
