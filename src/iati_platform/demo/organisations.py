"""Who publishes in the demonstration: thirty-two invented reporting organisations.

Names are made up, and so are the states some belong to. Identifiers use registered agency prefixes followed by numbers that begin with
0000, which none of those agencies gave to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Organisation:
    """One reporting organisation.

    type: code of OrganisationType. source: "primary_source" or "secondary_source". languages: the first is the main one. total: what a
    project usually costs, in `currency`. datasets: activity files, split by country when there are several. activities: in all of them.
    """

    short_name: str
    name: str
    identifier: str
    type: str
    hq_country: str | None
    languages: tuple[str, ...]
    currency: str
    total: int
    themes: tuple[str, ...]
    countries: tuple[str, ...]
    datasets: int
    activities: int
    version: str = "2.03"
    licence: str = "cc-by"
    since: str = "2016-04-12"
    funded: bool = False
    organisation_file: bool = True
    source: str = "primary_source"


def _organisation(
    short_name: str, name: str, identifier: str, kind: str, languages: str, money: str, themes: str, countries: str, size: str,
    *, version: str = "2.03", licence: str = "cc-by", since: str = "2016-04-12", funded: bool = False, organisation_file: bool = True,
    source: str = "primary_source",
) -> Organisation:  # fmt: skip
    """kind is "type hq" (hq may be missing), money "currency total", size "datasets activities"."""
    type_code, _, hq = kind.partition(" ")
    currency, total = money.split()
    datasets, activities = size.split()
    return Organisation(
        short_name, name, identifier, type_code, hq or None, tuple(languages.split()), currency, int(total), tuple(themes.split()),
        tuple(countries.split()), int(datasets), int(activities), version, licence, since, funded, organisation_file, source,
    )  # fmt: skip


# Funders first: the projects of those below them look for a grant among the projects of those above.
ORGANISATIONS: tuple[Organisation, ...] = (
    _organisation("valmora-development", "Valmora Ministry for Development Cooperation", "XM-DAC-0000901", "10", "en", "EUR 4200000",
                  "education health water governance gender climate roads", "KE ET UG TZ MW ZM NP BD", "8 430", since="2012-02-03"),
    _organisation("teralund-partnership", "Teralund Agency for International Partnership", "XM-DAC-0000902", "10", "en", "USD 2600000",
                  "health energy forestry governance nutrition", "GH ET MZ KH PH", "5 260", licence="odc-by", since="2013-09-17"),
    _organisation("samberie-cooperation", "Ministère de la Coopération de la République de Sambérie", "XM-DAC-0000903", "10", "fr",
                  "EUR 1900000", "education agriculture water health", "SN ML BF NE MG HT", "5 230",
                  licence="other-open", since="2014-11-05"),
    _organisation("valmora-finance", "Valmora Development Finance Company", "XM-DAC-0000904", "15", "en", "EUR 9000000",
                  "energy finance roads", "KE GH ZM BD", "2 48", since="2019-01-22"),
    _organisation("meridian-bank", "Meridian Development Bank", "XM-DAC-0000905", "40", "en", "USD 38000000",
                  "roads energy water climate", "KE TZ NP KH PH PE", "3 120", licence="cc-by", since="2011-11-29"),
    _organisation("banco-del-istmo", "Banco de Desarrollo del Istmo", "XM-DAC-0000906", "40", "es en", "USD 24000000",
                  "roads finance climate energy", "GT CO PE BO", "2 74", since="2015-06-01"),
    _organisation("unwac", "United Programme for Water and Cities", "XM-DAC-0000907", "40", "en fr", "USD 1500000",
                  "water climate governance", "SN ML KE JO LB YE BD", "4 190", licence="cc-zero", since="2012-07-30"),
    _organisation("world-seed", "World Seed and Soil Organisation", "XM-DAC-0000908", "40", "en es", "USD 1100000",
                  "agriculture forestry nutrition", "BO PE GT ET MW MG", "3 150", licence="cc-by", since="2014-03-19"),
    _organisation("school-meals", "Global School Meals Facility", "XM-DAC-0000909", "30", "en fr", "USD 3400000",
                  "nutrition education", "HT NE ML MW KH", "2 84", since="2018-05-08"),
    _organisation("atoll-fund", "Pacific Atoll Resilience Fund", "XM-DAC-0000910", "40", "en", "AUD 1800000",
                  "climate energy emergency", "FJ SB VU", "2 52", version="2.02", since="2017-10-10"),
    _organisation("almond-foundation", "The Almond Foundation", "US-EIN-00-0000911", "60 US", "en", "USD 750000",
                  "health nutrition gender education", "KE ET BD UG", "2 96", licence="cc-zero", since="2013-04-23"),
    _organisation("fondation-clairiere", "Fondation Clairière", "CH-FDJP-0000912", "60 CH", "fr en", "CHF 420000",
                  "forestry climate agriculture", "MG SN CD", "1 40", since="2020-02-14"),
    _organisation("hartwell-trust", "Hartwell Family Trust", "GB-CHC-0000913", "60 GB", "en", "GBP 180000",
                  "education gender", "UG MW ZM", "1 36", version="2.02", licence="uk-ogl", since="2015-08-27"),
    _organisation("cooking-partnership", "Clean Cooking Partnership", "NL-KVK-00000914", "30 NL", "en", "EUR 520000",
                  "energy gender", "GH UG NP", "1 30", since="2021-03-09"),
    # From here on: those who do the work, mostly with the money of those above.
    _organisation("humanitarian-logistics", "Humanitarian Logistics Alliance", "CH-FDJP-0000915", "21 CH", "en fr", "USD 900000",
                  "emergency nutrition", "YE SS CD NE HT", "3 110", funded=True, licence="cc-by", since="2016-12-01"),
    _organisation("lanterns", "Lanterns International", "GB-CHC-0000916", "21 GB", "en", "GBP 340000",
                  "education gender energy", "KE UG MW NP ET", "3 120", funded=True, licence="odc-pddl", since="2012-10-18"),
    _organisation("open-water", "Stichting Open Water", "NL-KVK-00000917", "21 NL", "en", "EUR 290000",
                  "water climate", "BD ET GH MZ", "2 82", funded=True, since="2015-05-11"),
    _organisation("medecine-itinerante", "Médecine Itinérante", "FR-RCS-000000918", "21 FR", "fr", "EUR 380000",
                  "health emergency", "NE ML CD HT LB", "2 68", funded=True, since="2017-01-30"),
    _organisation("reading-trust", "Children's Reading Trust", "GB-CHC-0000919", "21 GB", "en", "GBP 95000",
                  "education", "MW ZM TZ", "1 34", funded=True, version="2.02", since="2016-09-06"),
    _organisation("disability-caucus", "Disability Rights Caucus", "GB-CHC-0000920", "21 GB", "en", "GBP 120000",
                  "governance health", "UG KH", "1 24", funded=True, version="1.05", organisation_file=False, since="2012-05-21"),
    _organisation("manos-del-valle", "Manos del Valle", "CO-CCB-0000921", "22 CO", "es", "USD 85000",
                  "agriculture gender governance", "CO", "1 30", funded=True, since="2018-11-14"),
    _organisation("rede-raizes", "Rede Raízes", "BR-CNPJ-00000922", "22 BR", "pt", "USD 110000",
                  "forestry agriculture education", "BR MZ", "2 40", funded=True, since="2019-07-02"),
    _organisation("tumaini-health", "Tumaini Health Network", "KE-RCO-0000923", "22 KE", "en", "USD 140000",
                  "health nutrition", "KE TZ", "1 36", funded=True, since="2017-06-20"),
    _organisation("himal-forestry", "Himal Community Forestry Federation", "NP-SWC-0000924", "22 NP", "en", "USD 70000",
                  "forestry climate", "NP", "1 28", funded=True, version="2.02", since="2016-02-25"),
    _organisation("delta-women", "Delta Women's Cooperative", "BD-NAB-0000925", "22 BD", "en", "USD 60000",
                  "gender finance nutrition", "BD", "1 26", funded=True, since="2019-10-31"),
    _organisation("sahel-herders", "Union des Éleveurs du Sahel", "XX-DEMO-0000926", "23", "fr", "EUR 90000",
                  "agriculture water", "ML NE BF", "1 24", funded=True, licence="notspecified", since="2020-09-15",
                  organisation_file=False),
    _organisation("kestrel-advisory", "Kestrel Advisory", "GB-COH-00000927", "70 GB", "en", "GBP 640000",
                  "governance finance", "ET TZ JO", "1 22", funded=True, organisation_file=False, licence="uk-ogl", since="2018-03-27"),
    _organisation("solarhome", "SolarHome Ventures", "KE-RCO-0000928", "70 KE", "en", "USD 410000",
                  "energy", "KE UG TZ", "1 18", funded=True, organisation_file=False, since="2021-08-19"),
    _organisation("field-epidemiology", "Institute for Field Epidemiology", "US-EIN-00-0000929", "80 US", "en", "USD 530000",
                  "health", "SS CD PH", "1 26", funded=True, version="2.01", since="2014-01-16"),
    _organisation("twin-cities", "Teralund City Twinning Association", "XX-DEMO-0000930", "11", "en", "EUR 55000",
                  "governance water", "SN GH", "1 16", version="2.01", licence="notspecified", organisation_file=False, since="2013-12-12"),
    _organisation("jordan-valley-aid", "Jordan Valley Relief Committee", "XX-DEMO-0000931", "24 JO", "en ar", "USD 130000",
                  "emergency education", "JO LB", "1 24", funded=True, since="2022-02-22"),
    _organisation("open-ledger", "Open Ledger Network", "XX-DEMO-0000932", "90", "en", "USD 45000",
                  "governance", "KE", "1 8", funded=True, licence="notspecified", organisation_file=False, since="2023-06-07",
                  source="secondary_source"),
)  # fmt: skip
