"""Where the demonstration's projects are: real countries with real places, because maps and codelists are only convincing with them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Country:
    """A recipient country: ISO 3166 alpha-2 code, OECD DAC region code, places with a point each."""

    code: str
    name: str
    region: str
    places: tuple[Place, ...]


def _country(code: str, name: str, region: str, places: str) -> Country:
    """`places` is "Name latitude longitude; ..."."""
    rows = [entry.rsplit(maxsplit=2) for entry in places.split(";")]
    return Country(
        code, name, region, tuple(Place(place.strip(), float(latitude), float(longitude)) for place, latitude, longitude in rows)
    )


COUNTRIES: dict[str, Country] = {
    country.code: country
    for country in (
        _country("BD", "Bangladesh", "679", "Khulna 22.82 89.55; Rangpur 25.75 89.25; Cox's Bazar 21.44 91.97; Barisal 22.70 90.37"),
        _country("BF", "Burkina Faso", "1030", "Kaya 13.09 -1.08; Dori 14.03 -0.03; Bobo-Dioulasso 11.18 -4.30"),
        _country("BO", "Bolivia", "489", "Oruro -17.97 -67.11; Potosí -19.58 -65.75; El Alto -16.50 -68.16"),
        _country("BR", "Brazil", "489", "Recife -8.05 -34.90; Manaus -3.12 -60.02; Salvador -12.97 -38.50"),
        _country("CD", "Democratic Republic of the Congo", "1028", "Goma -1.66 29.22; Bunia 1.57 30.25; Kananga -5.90 22.42"),
        _country("CO", "Colombia", "489", "Quibdó 5.69 -76.66; Pasto 1.21 -77.28; Riohacha 11.54 -72.91"),
        _country("ET", "Ethiopia", "1027", "Mekelle 13.50 39.48; Jijiga 9.35 42.80; Hawassa 7.05 38.47; Bahir Dar 11.59 37.39"),
        _country("FJ", "Fiji", "1034", "Suva -18.14 178.44; Labasa -16.42 179.38; Savusavu -16.78 179.33"),
        _country("GH", "Ghana", "1030", "Tamale 9.40 -0.84; Bolgatanga 10.79 -0.85; Wa 10.06 -2.50"),
        _country("GT", "Guatemala", "1032", "Quetzaltenango 14.83 -91.52; Cobán 15.47 -90.37; Jalapa 14.63 -89.99"),
        _country("HT", "Haiti", "1031", "Les Cayes 18.19 -73.75; Gonaïves 19.45 -72.69; Jacmel 18.23 -72.53"),
        _country("JO", "Jordan", "589", "Mafraq 32.34 36.21; Irbid 32.55 35.85; Zarqa 32.07 36.09"),
        _country("KE", "Kenya", "1027", "Kisumu -0.09 34.77; Turkana 3.12 35.60; Kilifi -3.63 39.85; Garissa -0.45 39.65"),
        _country("KH", "Cambodia", "789", "Battambang 13.10 103.20; Kampot 10.61 104.18; Siem Reap 13.36 103.86"),
        _country("LB", "Lebanon", "589", "Tripoli 34.43 35.84; Zahlé 33.85 35.90; Tyre 33.27 35.20"),
        _country("MG", "Madagascar", "1027", "Toliara -23.35 43.67; Antsirabe -19.87 47.03; Toamasina -18.15 49.40"),
        _country("ML", "Mali", "1030", "Mopti 14.48 -4.18; Ségou 13.44 -6.26; Kayes 14.45 -11.44"),
        _country("MW", "Malawi", "1027", "Zomba -15.39 35.32; Mzuzu -11.47 34.02; Chikwawa -16.04 34.80"),
        _country("MZ", "Mozambique", "1029", "Beira -19.84 34.84; Nampula -15.12 39.27; Pemba -12.97 40.52"),
        _country("NE", "Niger", "1030", "Zinder 13.81 8.99; Tahoua 14.89 5.27; Diffa 13.32 12.61"),
        _country("NP", "Nepal", "679", "Pokhara 28.21 83.99; Gorkha 28.00 84.63; Surkhet 28.60 81.63; Dhankuta 26.98 87.33"),
        _country("PE", "Peru", "489", "Ayacucho -13.16 -74.22; Iquitos -3.75 -73.25; Puno -15.84 -70.02"),
        _country("PH", "Philippines", "789", "Tacloban 11.24 125.00; Iloilo 10.72 122.56; Zamboanga 6.92 122.08"),
        _country("SB", "Solomon Islands", "1033", "Honiara -9.43 159.96; Gizo -8.10 156.84; Auki -8.77 160.70"),
        _country("SN", "Senegal", "1030", "Kaolack 14.15 -16.07; Ziguinchor 12.58 -16.27; Matam 15.66 -13.26"),
        _country("SS", "South Sudan", "1027", "Juba 4.85 31.58; Malakal 9.53 31.66; Wau 7.70 27.99"),
        _country("TZ", "Tanzania", "1027", "Mwanza -2.52 32.90; Dodoma -6.17 35.74; Mtwara -10.27 40.18"),
        _country("UG", "Uganda", "1027", "Gulu 2.77 32.30; Arua 3.02 30.91; Mbale 1.08 34.18"),
        _country("VU", "Vanuatu", "1033", "Port Vila -17.73 168.32; Luganville -15.53 167.16; Isangel -19.55 169.27"),
        _country("YE", "Yemen", "589", "Hodeidah 14.80 42.95; Taiz 13.58 44.02; Marib 15.46 45.33"),
        _country("ZM", "Zambia", "1027", "Chipata -13.63 32.65; Mongu -15.28 23.13; Solwezi -12.17 26.39"),
    )
}
