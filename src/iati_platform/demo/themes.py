"""What the demonstration's projects are about, in the four languages its organisations write in.

`{place}` in a title is replaced by a place name. The first titles of the languages that share publishers (English with
French, Spanish or Arabic) translate each other. A language that a theme does not have falls back to English.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Indicator:
    """titles: per language. measure: code of IndicatorMeasure ("1" unit, "2" percentage). target: a usual value at the end."""

    titles: dict[str, str]
    measure: str
    target: int


@dataclass(frozen=True, slots=True)
class Theme:
    """sectors: OECD DAC five-digit purpose codes. goals: of Sustainable Development, by number. marker: (PolicyMarker, significance)."""

    name: str
    sectors: tuple[str, ...]
    goals: tuple[str, ...]
    marker: tuple[str, str]
    titles: dict[str, tuple[str, ...]]
    aims: dict[str, tuple[str, ...]]
    indicators: tuple[Indicator, ...]


THEMES: dict[str, Theme] = {
    theme.name: theme
    for theme in (
        Theme(
            "education",
            ("11220", "11130", "11240", "11120"),
            ("4",),
            ("1", "1"),
            {
                "en": (
                    "A school for every village of {place}",
                    "Teacher training colleges in {place}",
                    "Mother-tongue textbooks for {place}",
                    "Every child reads by grade three in {place}",
                    "Second-chance schooling for out-of-school girls in {place}",
                ),
                "fr": (
                    "Une école pour chaque village de {place}",
                    "Formation des enseignants à {place}",
                    "Manuels scolaires en langues locales, {place}",
                ),
                "es": ("Una escuela para cada comunidad de {place}", "Formación docente en {place}"),
                "pt": ("Alfabetização de jovens em {place}", "Escolas comunitárias de {place}"),
                "ar": ("مدرسة لكل قرية في {place}",),
            },
            {
                "en": (
                    "Raise the share of children who can read a simple story at the end of grade three.",
                    "Train and mentor primary school teachers and give them time, books and a head teacher who supports them.",
                ),
                "fr": ("Faire en sorte que chaque enfant sache lire et compter à la fin du primaire.",),
                "es": ("Mejorar el aprendizaje en primaria con docentes formados y aulas seguras.",),
                "pt": ("Garantir que jovens e adultos aprendam a ler e escrever perto de casa.",),
                "ar": ("تحسين تعلم القراءة في الصفوف الأولى.",),
            },
            (
                Indicator({"en": "Children enrolled in supported schools", "fr": "Enfants inscrits dans les écoles appuyées"}, "1", 4200),
                Indicator({"en": "Children reading at grade level", "es": "Niñas y niños que leen según su grado"}, "2", 65),
            ),
        ),
        Theme(
            "health",
            ("12220", "13020", "12250", "12281"),
            ("3",),
            ("9", "2"),
            {
                "en": (
                    "Midwives within reach in {place}",
                    "Primary health care strengthening, {place}",
                    "Malaria and fever clinics in {place}",
                    "Community health workers of {place}",
                    "Cold chain for vaccines in {place}",
                ),
                "fr": (
                    "Santé maternelle et infantile à {place}",
                    "Cliniques mobiles autour de {place}",
                    "Lutte contre le paludisme à {place}",
                ),
                "es": ("Salud comunitaria en {place}",),
            },
            {
                "en": (
                    "Bring skilled birth attendance and basic care to villages more than an hour away from the nearest clinic.",
                    "Equip health posts, pay community health workers on time and keep medicines in stock all year.",
                ),
                "fr": ("Rapprocher les soins de base des familles et réduire la mortalité maternelle.",),
                "es": ("Acercar la atención primaria a las comunidades rurales.",),
            },
            (
                Indicator({"en": "Births attended by skilled staff", "fr": "Accouchements assistés par du personnel qualifié"}, "1", 1800),
                Indicator(
                    {"en": "Health posts without stock-outs of essential medicines", "fr": "Postes de santé sans rupture de stock"}, "2", 90
                ),
            ),
        ),
        Theme(
            "water",
            ("14030", "14031", "14032", "14081"),
            ("6",),
            ("2", "1"),
            {
                "en": (
                    "Drinking water for {place}",
                    "Sanitation for the neighbourhoods of {place}",
                    "Boreholes and water committees in {place}",
                    "Safe drinking water for rural schools in {place}",
                ),
                "fr": ("Eau potable pour {place}", "Assainissement des quartiers de {place}", "Forages et comités d'eau à {place}"),
                "es": ("Agua segura para {place}",),
            },
            {
                "en": (
                    "Build and repair water points and train the committees who will keep them running for ten years and more.",
                    "Give households and schools safe water within five hundred metres.",
                ),
                "fr": ("Donner à chaque ménage un accès durable à l'eau potable et à des latrines.",),
                "es": ("Asegurar agua limpia y saneamiento para hogares y escuelas.",),
            },
            (
                Indicator({"en": "People with a safe water point nearby", "fr": "Personnes disposant d'un point d'eau sûr"}, "1", 15000),
                Indicator({"en": "Water points working after one year", "fr": "Points d'eau en service après un an"}, "2", 92),
            ),
        ),
        Theme(
            "agriculture",
            ("31120", "31150", "31166", "31163"),
            ("2", "1"),
            ("2", "1"),
            {
                "en": (
                    "Drought-tolerant seed for smallholders in {place}",
                    "Farmer field schools of {place}",
                    "Livestock and pasture around {place}",
                    "Storage and fair prices for grain growers, {place}",
                ),
                "fr": ("Semences adaptées pour {place}", "Champs-écoles paysans de {place}", "Élevage et pâturages autour de {place}"),
                "es": (
                    "Semillas resistentes a la sequía para {place}",
                    "Escuelas de campo de {place}",
                    "Ganadería y pastos de {place}",
                    "Riego campesino en {place}",
                ),
                "pt": ("Agricultura familiar em {place}", "Sementes crioulas de {place}"),
            },
            {
                "en": ("Help smallholder families to harvest more from the same land, lose less after the harvest and sell it better.",),
                "fr": ("Augmenter les récoltes et les revenus des exploitations familiales.",),
                "es": ("Aumentar la cosecha y los ingresos de las familias campesinas.",),
                "pt": ("Aumentar a renda das famílias agricultoras e proteger o solo.",),
            },
            (
                Indicator(
                    {
                        "en": "Farmers using improved seed",
                        "fr": "Exploitants utilisant des semences améliorées",
                        "es": "Familias con semilla mejorada",
                    },
                    "1",
                    2600,
                ),
                Indicator({"en": "Maize and millet lost after harvest", "fr": "Pertes après récolte"}, "2", 8),
            ),
        ),
        Theme(
            "governance",
            ("15110", "15112", "15150", "15111"),
            ("16",),
            ("3", "2"),
            {
                "en": (
                    "Participatory budgets in {place}",
                    "Citizens' audit of public works, {place}",
                    "Civil registration reaches {place}",
                    "Legal aid desks in {place}",
                ),
                "fr": ("Budgets participatifs à {place}",),
                "es": ("Presupuesto participativo en {place}", "Veeduría ciudadana en {place}"),
            },
            {
                "en": ("Publish local budgets in words people understand and give them a seat where priorities are set.",),
                "fr": ("Associer les habitants aux choix budgétaires de leur commune.",),
                "es": ("Acercar las cuentas públicas a la ciudadanía.",),
            },
            (
                Indicator({"en": "Councils that publish their budget", "es": "Municipios que publican su presupuesto"}, "1", 24),
                Indicator({"en": "Residents who know where to complain"}, "2", 55),
            ),
        ),
        Theme(
            "gender",
            ("15170", "15180", "11330"),
            ("5",),
            ("1", "2"),
            {
                "en": (
                    "Women's savings groups in {place}",
                    "Safe spaces for girls in {place}",
                    "Market women's associations of {place}",
                    "Ending violence against women in {place}",
                ),
                "es": ("Red de mujeres productoras de {place}", "Casas de la mujer en {place}"),
                "fr": ("Associations de femmes de {place}",),
            },
            {
                "en": ("Strengthen groups led by women so that members decide over their income, their health and their safety.",),
                "es": ("Fortalecer organizaciones de mujeres para que decidan sobre sus ingresos y su seguridad.",),
                "fr": ("Renforcer les organisations de femmes et leur autonomie.",),
            },
            (Indicator({"en": "Women in active groups", "es": "Mujeres en grupos activos"}, "1", 1400),),
        ),
        Theme(
            "energy",
            ("23230", "23630", "23183", "23210"),
            ("7", "13"),
            ("6", "2"),
            {
                "en": (
                    "Solar mini-grids for {place}",
                    "Rural electrification of {place}",
                    "Clean stoves for {place}",
                    "Clinics and schools lit by the sun in {place}",
                    "Transmission line and substations, {place}",
                ),
                "es": ("Minirredes solares para {place}", "Electrificación rural de {place}"),
            },
            {
                "en": ("Replace diesel, kerosene and firewood with affordable renewable energy.",),
                "es": ("Llevar energía renovable y asequible a las zonas rurales.",),
            },
            (
                Indicator({"en": "Households with clean energy", "es": "Hogares con energía limpia"}, "1", 5400),
                Indicator({"en": "Tonnes of CO2 avoided each year"}, "1", 12000),
            ),
        ),
        Theme(
            "finance",
            ("24030", "24040", "32130"),
            ("8", "1"),
            ("1", "1"),
            {
                "en": (
                    "Credit line for small firms in {place}",
                    "Savings and credit cooperatives of {place}",
                    "Mobile money for market traders, {place}",
                ),
                "es": ("Crédito para pequeñas empresas de {place}", "Cooperativas de ahorro de {place}"),
            },
            {
                "en": ("Give small firms and families loans, savings and insurance on fair terms.",),
                "es": ("Ofrecer crédito y ahorro en condiciones justas.",),
            },
            (Indicator({"en": "Small firms with a loan", "es": "Pequeñas empresas con crédito"}, "1", 900),),
        ),
        Theme(
            "emergency",
            ("72010", "72040", "72050", "73010"),
            ("2", "11"),
            ("9", "1"),
            {
                "en": (
                    "Emergency food and cash assistance in {place}",
                    "Shelter and relief items for displaced families, {place}",
                    "Flood response in {place}",
                    "Trucking and storage for relief agencies in {place}",
                ),
                "fr": ("Aide alimentaire d'urgence à {place}", "Abris pour familles déplacées, {place}"),
                "ar": ("مساعدات غذائية طارئة في {place}",),
            },
            {
                "en": ("Reach families cut off by conflict, flood or drought within seventy-two hours and stay until markets work again.",),
                "fr": ("Venir en aide aux familles touchées dans les soixante-douze heures.",),
                "ar": ("الوصول إلى الأسر المتضررة خلال اثنتين وسبعين ساعة.",),
            },
            (
                Indicator({"en": "People reached with food or cash", "fr": "Personnes assistées"}, "1", 38000),
                Indicator({"en": "Families in adequate shelter"}, "1", 3100),
            ),
        ),
        Theme(
            "nutrition",
            ("12240", "11250", "52010"),
            ("2", "3"),
            ("12", "2"),
            {
                "en": (
                    "School meals from local farms in {place}",
                    "Treating acute malnutrition in {place}",
                    "Kitchen gardens and cooking classes, {place}",
                ),
                "fr": ("Cantines scolaires de {place}", "Prise en charge de la malnutrition à {place}"),
                "es": ("Comedores escolares de {place}",),
            },
            {
                "en": ("Serve one good meal each school day, bought from farmers nearby, and find malnourished children early.",),
                "fr": ("Servir un repas chaud par jour d'école avec des produits locaux.",),
                "es": ("Ofrecer una comida sana al día con productos locales.",),
            },
            (
                Indicator({"en": "Meals served", "fr": "Repas servis"}, "1", 740000),
                Indicator(
                    {"en": "Children under five with acute malnutrition", "fr": "Enfants de moins de cinq ans en malnutrition aiguë"},
                    "2",
                    6,
                ),
            ),
        ),
        Theme(
            "forestry",
            ("31210", "31220", "41030"),
            ("15", "13"),
            ("5", "2"),
            {
                "en": ("Community forests of {place}", "Native tree nurseries in {place}", "Living fences and firewood lots, {place}"),
                "fr": ("Forêts communautaires de {place}", "Pépinières d'espèces locales à {place}"),
                "es": ("Bosques comunitarios de {place}", "Viveros de especies nativas en {place}"),
                "pt": ("Florestas comunitárias de {place}", "Viveiros de espécies nativas em {place}"),
            },
            {
                "en": ("Hand forests to the communities who live with them and pay for keeping them standing.",),
                "fr": ("Confier la gestion des forêts aux communautés qui en vivent.",),
                "es": ("Devolver la gestión del bosque a las comunidades.",),
                "pt": ("Entregar a gestão da floresta a quem vive dela.",),
            },
            (Indicator({"en": "Hectares under community management", "pt": "Hectares sob gestão comunitária"}, "1", 3800),),
        ),
        Theme(
            "climate",
            ("41010", "41081", "43040", "43060"),
            ("13",),
            ("7", "2"),
            {
                "en": (
                    "Early warning of floods in {place}",
                    "Climate-ready villages near {place}",
                    "Sea walls and mangroves for {place}",
                    "Adaptation planning with the districts of {place}",
                ),
                "fr": ("Alerte précoce aux inondations à {place}", "Villages résilients autour de {place}"),
                "es": ("Alerta temprana ante inundaciones en {place}", "Comunidades preparadas para el clima cerca de {place}"),
            },
            {
                "en": ("Prepare people, harvests and buildings for storms, floods and heat that come more often.",),
                "fr": ("Préparer les habitants et les récoltes aux aléas climatiques.",),
                "es": ("Preparar a la población y los cultivos ante el cambio climático.",),
            },
            (
                Indicator({"en": "People covered by early warning", "fr": "Personnes couvertes par l'alerte précoce"}, "1", 60000),
                Indicator({"en": "Villages with a tested evacuation plan"}, "1", 45),
            ),
        ),
        Theme(
            "roads",
            ("21020", "21010", "21030"),
            ("9", "11"),
            ("2", "1"),
            {
                "en": ("Feeder roads to the markets of {place}", "Bridges and culverts in {place}", "Ring road and bus lanes for {place}"),
                "es": ("Caminos rurales de {place}", "Puentes de {place}"),
            },
            {
                "en": ("Keep markets, clinics and schools within reach in the rainy season.",),
                "es": ("Mantener los caminos transitables durante las lluvias.",),
            },
            (Indicator({"en": "Kilometres of all-weather road", "es": "Kilómetros de camino transitable"}, "1", 140),),
        ),
    )
}
