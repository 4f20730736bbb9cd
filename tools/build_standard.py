"""Make the shipped tables of `iati_platform.standard` from the official files of the IATI Standard.

    python tools/build_standard.py --from DIR

DIR holds `schemas/<version>/*.xsd`, `codelists/{<version>,non-embedded}/*.xml`, `mappings/<version>/mapping.xml`,
`rulesets/<version>/standard.json` and `exchange-rates/imf_exchangerates_monthly.csv`. Only facts are carried over (names, codes,
types, numbers, conditions); documentation, descriptions and messages stay behind. The output is the same for the same input.
The hand-kept tables (`codelist-rules.tsv`, `licences.tsv`) are left alone but counted in the hash.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import re
import sys
from collections import defaultdict
from datetime import date
from pathlib import Path
from typing import Any

from lxml import etree

from iati_platform.standard import notation
from iati_platform.standard.notation import Kind, Part
from iati_platform.standard.versions import CODELIST_VERSIONS, VERSIONS

OUT = Path(__file__).resolve().parent.parent / "src/iati_platform/standard/data"
XSD = "{http://www.w3.org/2001/XMLSchema}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


# ---------------------------------------------------------------- schemas

_IGNORED = {"annotation", "import", "include"}
_WILDCARD = {"namespace": "##other", "processContents": "lax"}


def schema_table(path: Path) -> str:
    """One XSD file in the notation of `iati_platform.standard.notation`. ValueError for anything the notation cannot say."""
    root = etree.parse(path, etree.XMLParser(remove_comments=True)).getroot()
    return notation.render(_part(node) for node in root if _tag(node) not in _IGNORED)


def _tag(node: etree._Element) -> str:
    return etree.QName(node).localname


def _part(node: etree._Element) -> Part:
    tag, given = _tag(node), dict(node.attrib)
    name, reference = given.pop("name", ""), given.pop("ref", "")
    least = int(given.pop("minOccurs", "1"))
    most_text = given.pop("maxOccurs", "1")
    most = None if most_text == "unbounded" else int(most_text)
    required = {"required": True, "optional": False}[given.pop("use", "optional")]
    type_ = _type(given.pop("type", ""))
    inner = [child for child in node if _tag(child) not in _IGNORED]
    if tag in ("any", "anyAttribute"):
        if given != _WILDCARD:
            raise ValueError(f"{tag} with {given}: the notation has only lax wildcards for other namespaces")
        return Part(Kind.OTHER_ELEMENTS if tag == "any" else Kind.OTHER_ATTRIBUTES, least=least, most=most)
    if tag == "complexType":
        return Part(Kind.TYPE, f"${name}", parts=_type_parts(node))
    if given:
        raise ValueError(f"{tag} {name or reference}: nothing in the notation for {given}")
    if tag == "element":
        parts = _type_parts(inner[0]) if inner else ()
        return Part(Kind.ELEMENT_REFERENCE if reference else Kind.ELEMENT, name or reference, type_, least, most, parts=parts)
    if tag == "attribute":
        if inner:
            raise ValueError(f"attribute {name}: local simple types are not in the notation")
        return Part(Kind.ATTRIBUTE_REFERENCE if reference else Kind.ATTRIBUTE, name or reference, type_, required=required)
    if tag == "attributeGroup":
        kind = Kind.ATTRIBUTE_GROUP_REFERENCE if reference else Kind.ATTRIBUTE_GROUP
        return Part(kind, name or reference, parts=tuple(_part(child) for child in inner))
    kind = {"sequence": Kind.SEQUENCE, "choice": Kind.CHOICE}[tag]
    return Part(kind, least=least, most=most, parts=tuple(_part(child) for child in inner))


def _type_parts(node: etree._Element) -> tuple[Part, ...]:
    """The lines below an element or type: the content of a complexType."""
    if _tag(node) != "complexType" or set(node.attrib) - {"name", "mixed"}:
        raise ValueError(f"not in the notation: {etree.tostring(node)[:200]!r}")
    parts: list[Part] = [Part(Kind.MIXED)] if node.get("mixed") == "true" else []
    inner = [child for child in node if _tag(child) not in _IGNORED]
    if inner and _tag(inner[0]) in ("simpleContent", "complexContent"):
        (content,) = inner
        (extension,) = (child for child in content if _tag(child) not in _IGNORED)
        if _tag(extension) != "extension":
            raise ValueError("only extensions are in the notation")
        kind = Kind.TEXT if _tag(content) == "simpleContent" else Kind.EXTENDS
        parts.append(Part(kind, type=_type(extension.get("base", ""))))
        inner = [child for child in extension if _tag(child) not in _IGNORED]
    parts += [_part(child) for child in inner]
    return tuple(parts) or (Part(Kind.EMPTY),)


def _type(name: str) -> str:
    return name if not name or name.startswith("xsd:") else f"${name}"


def build_schemas(source: Path) -> dict[str, str]:
    """The three tables of every version: common, activities, organisations."""
    tables = {}
    for version in VERSIONS:
        for table, file in (("common", "common"), ("activities", "activities-schema"), ("organisations", "organisations-schema")):
            tables[f"schemas/{version}/{table}.txt"] = schema_table(source / "schemas" / version / f"iati-{file}.xsd")
    return tables


# ---------------------------------------------------------------- codelists


def codelist_table(path: Path) -> str:
    """One codelist as JSON with one code per line: [code, names by language, status, category, activation, withdrawal]."""
    root = etree.parse(path).getroot()
    language = root.get(XML_LANG, "en")
    head: dict[str, Any] = {"name": root.get("name"), "complete": root.get("complete") == "1"}
    if root.get("category-codelist"):
        head["categories"] = root.get("category-codelist")
    head["titles"] = _names(root.find("metadata"), language)
    lines: dict[str, str] = {}
    for item in root.iterfind("codelist-items/codelist-item"):
        code = (item.findtext("code") or "").strip()
        status = item.get("status") or ("withdrawn" if item.get("withdrawal-date") else "active")
        row = [code, _names(item, language), status]
        row += [(item.findtext("category") or "").strip() or None, item.get("activation-date"), item.get("withdrawal-date")]
        while row[-1] is None:
            row.pop()
        # A few codes stand twice on their list.
        lines.setdefault(code, _json(row if row[2:] != ["active"] else row[:2]))
    return f'{_json(head)[:-1]}, "codes": [\n' + ",\n".join(lines.values()) + "\n]}\n"


def _names(node: etree._Element | None, language: str) -> dict[str, str]:
    """Language -> name, for both forms: `name` with text (1.0x lists) and `name/narrative`. Of two in one language the first holds."""
    names: dict[str, str] = {}
    for name in node.iterfind("name") if node is not None else ():
        for text in name.findall("narrative") or [name]:
            words = " ".join("".join(text.itertext()).split())
            if words:
                names.setdefault(text.get(XML_LANG) or name.get(XML_LANG) or language, words)
    return names


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def build_codelists(source: Path) -> dict[str, str]:
    """Shared lists under `codelists/shared`, those a version has of its own under `codelists/<version>`."""
    tables = {}
    for ours, theirs in [("shared", "non-embedded"), *((version, version) for version in CODELIST_VERSIONS)]:
        for path in sorted((source / "codelists" / theirs).glob("*.xml")):
            tables[f"codelists/{ours}/{path.stem}.json"] = codelist_table(path)
    index = defaultdict(list)
    for name in tables:
        _, folder, file = name.split("/")
        index[folder].append(file.removesuffix(".json"))
    tables["codelists/index.json"] = json.dumps(index, indent=1) + "\n"
    return tables


# ---------------------------------------------------------------- mappings

_CONDITION = re.compile(r"(\.\./)?@vocabulary = '([^']+)'( or not\(@vocabulary\))?")


def mapping_rows(path: Path) -> list[list[str]]:
    """Rows path, attribute, codelist, vocabulary attribute, vocabulary, "default" if an absent vocabulary counts as this one.

    `path` starts with the record's element; "iati-activities" alone is the root, "*" is any element; attribute "" is the text.
    """
    rows = []
    for mapping in etree.parse(path).getroot().iterfind("mapping"):
        place, _, attribute = (mapping.findtext("path") or "").strip().removeprefix("//").rpartition("/")
        reference = mapping.find("codelist")
        assert reference is not None and attribute, etree.tostring(mapping)
        row = [place or "*", "" if attribute == "text()" else attribute.removeprefix("@"), reference.get("ref", ""), "", "", ""]
        condition = mapping.findtext("condition")
        if condition:
            match = _CONDITION.fullmatch(condition.strip())
            if match is None:
                raise ValueError(f"{path}: a condition of a new form: {condition}")
            row[3:] = [(match[1] or "") + "vocabulary", match[2], "default" if match[3] else ""]
        rows.append(row)
    return rows


def build_mappings(source: Path) -> dict[str, str]:
    """One table for each version that has mappings."""
    header = ["path", "attribute", "codelist", "vocabulary_attribute", "vocabulary", "default"]
    return {f"mappings/{v}.tsv": _tsv([header, *mapping_rows(source / "mappings" / v / "mapping.xml")]) for v in CODELIST_VERSIONS}


def _tsv(rows: list[list[str]]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


# ---------------------------------------------------------------- rulesets

# The 1.0x rulesets have no numbers: their cases get those of the 2.0x rules that ask for the same.
_UNNUMBERED = {
    "activity-date[@type='start-actual']/@iso-date activity-date[@type='end-actual']/@iso-date": ("11.1.3", "error", "iati"),
    "activity-date[@type='start-planned']/@iso-date activity-date[@type='end-planned']/@iso-date": ("11.1.2", "error", "iati"),
    "activity-date[@type='start-actual']/@iso-date NOW": ("11.1.4", "error", "iati"),
    "activity-date[@type='end-actual']/@iso-date NOW": ("11.1.5", "error", "iati"),
    "reporting-org/@ref iati-identifier": ("1.1.21", "warning", "identifiers"),
    "transaction-date/@iso-date NOW": ("11.2.1", "error", "financial"),
    "value/@value-date NOW": ("11.2.2", "error", "financial"),
    "//planned-disbursement period-start/@iso-date period-end/@iso-date": ("8.6.3", "error", "financial"),
    "//result/indicator/period period-start/@iso-date period-end/@iso-date": ("8.6.1", "error", "performance"),
}
_OLD_CONTEXTS = {
    "//iati-activity": "/iati-activities/iati-activity",
    "//transaction": "/iati-activities/iati-activity/transaction",
    "//planned-disbursement": "/iati-activities/iati-activity/planned-disbursement",
    "//result/indicator/period": "/iati-activities/iati-activity/result/indicator/period",
}


def ruleset_table(path: Path) -> str:
    """The cases of one ruleset in its order, one per line, without messages. A loop's cases carry `foreach` and `substitute`."""
    cases: list[dict[str, Any]] = []
    for context, primitives in json.loads(path.read_text(encoding="utf-8")).items():
        for primitive, body in primitives.items():
            for case in body["cases"]:
                if primitive != "loop":
                    cases.append(_rule_case(context, primitive, case))
                    continue
                for inner, inner_body in case["do"].items():
                    cases += [
                        _rule_case(context, inner, inside) | {"foreach": case["foreach"], "substitute": case["subs"]}
                        for inside in inner_body["cases"]
                    ]
    return "[\n" + ",\n".join(map(_json, cases)) + "\n]\n"


def _rule_case(context: str, primitive: str, case: dict[str, Any]) -> dict[str, Any]:
    parameters = {name: value for name, value in case.items() if name != "ruleInfo"}
    info = case.get("ruleInfo")
    if info is None:
        places = [parameters.get("less") or parameters["start"], parameters.get("more") or parameters["paths"][0]]
        key = " ".join(places)
        number, severity, category = _UNNUMBERED.get(key) or _UNNUMBERED[f"{context} {key}"]
        if primitive == "startswith":
            parameters = {"prefix": [parameters["start"]], "separator": "", "paths": parameters["paths"]}
        info = {"id": number, "severity": severity, "category": category}
    contexts = [_OLD_CONTEXTS.get(one, one) for one in context.split(" | ")]
    row = {"id": info["id"], "severity": info["severity"], "category": info["category"], "contexts": contexts}
    row |= {"primitive": primitive, "parameters": parameters}
    return row | ({"link": info["link"]} if "link" in info else {})


def build_rules(source: Path) -> dict[str, str]:
    """One table for each version that has a ruleset."""
    return {f"rules/{v}.json": ruleset_table(source / "rulesets" / v / "standard.json") for v in CODELIST_VERSIONS}


# ---------------------------------------------------------------- exchange rates


# Before there was a euro the source restates some national currency under its name (0.00117 for 1970); for some currencies it goes
# on with euros, or with those of a former colony, after the country has joined.
_MONEY_FROM = {"EUR": 1999}
_MONEY_UNTIL = {
    **dict.fromkeys(("ATS", "BEF", "DEM", "ESP", "FIM", "FRF", "IEP", "ITL", "LUF", "NLG", "PTE"), 1999),
    "GRD": 2001,
    "SIT": 2007,
    "CYP": 2008,
    "MTL": 2008,
    "SKK": 2009,
    "EEK": 2011,
    "LVL": 2014,
    "LTL": 2015,
    "HRD": 2023,
}


def build_rates(source: Path, until: date) -> dict[str, str]:
    """Currency, year, then the rates of January to December (units per US dollar, end of month), "-" for a gap. Left out are
    rows after `until` (there are some in the future) and those from before a currency was there or after it was gone."""
    rates: dict[tuple[str, int], list[str]] = defaultdict(lambda: ["-"] * 12)
    with (source / "exchange-rates/imf_exchangerates_monthly.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            day = date.fromisoformat(row["Date"])
            if day <= until and _MONEY_FROM.get(row["Currency"], 0) <= day.year < _MONEY_UNTIL.get(row["Currency"], 9999):
                # Nine digits: a cent in ten million dollars.
                rates[row["Currency"], day.year][day.month - 1] = f"{float(row['Rate']):.9g}"
    table = [[currency, str(year), *months] for (currency, year), months in sorted(rates.items())]
    return {"exchange-rates.tsv": _tsv([["currency", "year", *(f"{month:02d}" for month in range(1, 13))], *table])}


# ---------------------------------------------------------------- all of it

HAND_KEPT = ("codelist-rules.tsv", "licences.tsv")


def build(source: Path) -> dict[str, str]:
    """Every table by its name below `data/`, with the manifest. The set bears the date of its newest source; rates end there."""
    origins = sources(source)
    day = date.fromisoformat(max(origin["date"] for origin in origins))
    tables = build_schemas(source) | build_codelists(source) | build_mappings(source) | build_rules(source) | build_rates(source, day)
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in tables.items()}
    sums |= {name: hashlib.sha256((OUT / name).read_bytes()).hexdigest() for name in HAND_KEPT}
    whole = hashlib.sha256("".join(f"{name} {sums[name]}\n" for name in sorted(sums)).encode()).hexdigest()
    manifest = {"date": day.isoformat(), "hash": whole, "sources": origins}
    tables["manifest.json"] = json.dumps(manifest, indent=1) + "\n"
    return tables


_USED = re.compile(
    r"(schemas/.*/iati-(activities|organisations)-schema|schemas/.*/iati-common|codelists/(non-embedded|[12]\.\d\d)/"
    r"|mappings/.*\.xml|rulesets/.*/standard\.json|exchange-rates/imf_exchangerates_monthly)"
)


def sources(source: Path) -> list[dict[str, str]]:
    """Where the files used come from, one entry for each folder and commit, by `SOURCES.json` beside them."""
    entries = json.loads((source / "SOURCES.json").read_text(encoding="utf-8"))["sources"]
    found = {
        (entry["file"].rpartition("/")[0], entry["repo"], entry["commit"], entry["commit_date"])
        for entry in entries
        if _USED.match(entry["file"])
    }
    return [{"folder": f, "repository": r, "commit": c, "date": d} for f, r, c, d in sorted(found)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, help="folder with the official files")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if the shipped tables differ")
    arguments = parser.parse_args()
    tables = build(arguments.source)
    stale = [name for name, text in tables.items() if not (OUT / name).exists() or (OUT / name).read_text(encoding="utf-8") != text]
    gone = {str(path.relative_to(OUT)) for path in OUT.rglob("*") if path.is_file()} - set(tables) - set(HAND_KEPT)
    size = sum(len(text.encode()) for text in tables.values())
    print(f"{len(tables)} tables, {size / 1e6:.2f} MB; {len(stale)} changed, {len(gone)} no longer made")
    if arguments.check:
        return 1 if stale or gone else 0
    for name in stale:
        (OUT / name).parent.mkdir(parents=True, exist_ok=True)
        (OUT / name).write_text(tables[name], encoding="utf-8")
    for name in gone:
        (OUT / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
