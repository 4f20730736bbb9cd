"""Show that our schemas accept and reject what the official ones do: same verdict, same findings, same places.

    python tools/check_standard.py --from DIR [--corpus DIR] [--generated 500] [--seed 1]

DIR holds the official files (`schemas/<version>/*.xsd`). The corpus is a folder of published XML files, `DIR/../corpus/real` unless
given. Every file of it and every generated document is validated against all eight versions of its kind, with both schemas; a
file whose root is not IATI's, against both kinds. Findings are compared whole: line, path, type and message. Prints a table,
names every difference, and ends with 1 if there is one.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

from lxml import etree

from iati_platform import standard
from iati_platform.standard import specimens
from iati_platform.standard.versions import VERSIONS, FileKind

Finding = tuple[int, str | None, str, str]
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
_XML = f"{{{standard.XML_NAMESPACE}}}"


class Comparison:
    """Both schemas of every version and kind, and what came out so far."""

    def __init__(self, source: Path) -> None:
        self.schemas = {
            (version, kind): (
                etree.XMLSchema(file=str(source / "schemas" / version / f"{kind.value}-schema.xsd")),
                standard.xml_schema(version, kind),
            )
            for version in VERSIONS
            for kind in FileKind
        }
        self.counts: Counter[tuple[str, FileKind, str]] = Counter()
        self.differences: list[str] = []

    def compare(self, name: str, root: etree._Element, version: str, kind: FileKind) -> bool:
        """Validate with both; True if accepted. A difference is kept with its name and the first finding that differs."""
        official, ours = (_findings(schema, root) for schema in self.schemas[version, kind])
        self.counts[version, kind, "accepted" if not official else "rejected"] += 1
        self.counts[version, kind, "findings"] += len(official)
        if official != ours:
            self.counts[version, kind, "differ"] += 1
            pairs = [pair for pair in zip([*official, None], [*ours, None], strict=False) if pair[0] != pair[1]]
            self.differences.append(f"{name} against {version} {kind.value}: official {pairs[0][0]}, ours {pairs[0][1]}")
        return not official

    def table(self, title: str) -> str:
        """The counts as text, one line per version and kind, and start again from nothing."""
        lines = [f"{title}", f"{'schema':<26}{'accepted':>10}{'rejected':>10}{'findings':>11}{'different':>11}"]
        total: Counter[str] = Counter()
        for version in VERSIONS:
            for kind in FileKind:
                row = {what: self.counts[version, kind, what] for what in ("accepted", "rejected", "findings", "differ")}
                total.update(row)
                lines.append(f"{version + ' ' + kind.value:<26}" + _cells(row))
        lines.append(f"{'all':<26}" + _cells(total))
        self.counts.clear()
        return "\n".join(lines)


def _cells(row: dict[str, int] | Counter[str]) -> str:
    return f"{row['accepted']:>10,}{row['rejected']:>10,}{row['findings']:>11,}{row['differ']:>11,}"


def _findings(schema: etree.XMLSchema, root: etree._Element) -> list[Finding]:
    if schema.validate(root):
        return []
    return [(entry.line, entry.path, entry.type_name, entry.message) for entry in schema.error_log]


def structure_differences(source: Path) -> tuple[int, list[str]]:
    """How many global declarations the official files have, and those that ours do not repeat exactly: beyond any set of documents."""
    count, different = 0, []
    for version in VERSIONS:
        for kind in FileKind:
            folder = source / "schemas" / version
            official: dict[tuple[str, str], object] = {}
            for file in (folder / "iati-common.xsd", folder / f"{kind.value}-schema.xsd"):
                official |= _declared(etree.parse(file).getroot())
            ours = _declared(etree.fromstring(standard.schema_source(version, kind)))
            count += len(official)
            different += [f"{version} {kind.value}: {key}" for key in official.keys() | ours.keys() if official.get(key) != ours.get(key)]
    return count, different


def _declared(schema: etree._Element) -> dict[tuple[str, str], object]:
    nodes = [node for node in schema.iterchildren("*") if etree.QName(node).localname not in _PROSE]
    return {(etree.QName(node).localname, node.get("name", "")): _structure(node) for node in nodes}


_PROSE = ("annotation", "import", "include")
_DEFAULTS = {("minOccurs", "1"), ("maxOccurs", "1"), ("use", "optional")}


def _structure(node: etree._Element) -> object:
    """A declaration without prose, with what is the default left out: tag, attributes, content."""
    children = [_structure(child) for child in node.iterchildren("*") if etree.QName(child).localname not in _PROSE]
    return etree.QName(node).localname, frozenset(dict(node.attrib).items()) - _DEFAULTS, tuple(children)


def corpus_kinds(root: etree._Element) -> tuple[FileKind, ...]:
    """The kind that the root element names, or both."""
    return next(((kind,) for kind in FileKind if root.tag == kind.value), tuple(FileKind))


def generated(count: int, seed: int) -> Iterator[tuple[str, FileKind, bytes]]:
    """Documents of every version and kind in turn: a quarter valid, the others with one to three defects or oddities."""
    places = [(version, kind) for version in VERSIONS for kind in FileKind]
    for number in range(count):
        version, kind = places[number % len(places)]
        random = Random(f"{seed} {number}")
        specimen = specimens.valid(version, kind, random, random.choice((0.0, 0.2, 0.4, 0.6)))
        changes: list[specimens.Change] = [random.choice(specimens.VARIATIONS) for _ in range(random.randint(0, 3))]
        if number // len(places) % 4:
            changes += [random.choice((*specimens.DEFECTS, *ODDITIES)) for _ in range(random.randint(1, 3))]
        done = []
        for change in changes:
            try:
                change(specimen, random)
            except specimens.NoPlace:
                continue
            done.append(change.__name__)
        yield f"generated {number} ({version}: {', '.join(done) or 'plain'})", kind, specimen.data()


# Oddities have no expectation of their own; both schemas only have to agree about them.


def odd_value(specimen: specimens.Specimen, random: Random) -> None:
    """Any attribute gets any value."""
    element = random.choice(list(specimen.bodies))
    names = [*element.attrib, f"{_XML}lang", f"{_XML}space", f"{_XML}base", f"{_XML}id", "code", "type", "ref", "percentage"]
    values = (
        "",
        " ",
        "0",
        "-1",
        "1.5",
        "1e9",
        "2020-01-01",
        " 2020-01-01 ",
        "en",
        "preserve",
        "true",
        "a b",
        "http://[::1",
        "%zz",
        "ü",
        "a:b",
    )
    element.set(random.choice(names), random.choice(values))


def odd_text(specimen: specimens.Specimen, random: Random) -> None:
    """Any element gets any text."""
    random.choice(list(specimen.bodies)).text = random.choice(("", " ", "\n", "1", "1.0.0", "text", " 12 ", "Ω", "1e5"))


def odd_type(specimen: specimens.Specimen, random: Random) -> None:
    """The attributes of the schema language itself: a type or nothing at all."""
    element = random.choice(list(specimen.bodies))
    name, values = random.choice((("nil", ("true", "1", "no")), ("type", ("textType", "currencyType", "nothing"))))
    element.set(_XSI + name, random.choice(values))


def same_identity(specimen: specimens.Specimen, random: Random) -> None:
    """Two elements with one xml:id."""
    for element in random.sample(list(specimen.bodies), min(2, len(specimen.bodies))):
        element.set(f"{_XML}id", "one")


def moved(specimen: specimens.Specimen, random: Random) -> None:
    """An element is put somewhere else."""
    element, target = random.choice(list(specimen.bodies)), random.choice(list(specimen.bodies))
    if element is specimen.root or any(ancestor is element for ancestor in (target, *target.iterancestors())):
        raise specimens.NoPlace
    target.insert(random.randint(0, len(target)), element)


def foreign_with_known(specimen: specimens.Specimen, random: Random) -> None:
    """An element of another namespace that holds one of the Standard, which is then checked if it is declared globally."""
    element = random.choice(list(specimen.bodies))
    foreign = etree.SubElement(element, f"{{{specimens.FOREIGN}}}wrapper")
    etree.SubElement(foreign, random.choice(("title", "iati-identifier", "transaction", "narrative", "invented")))


ODDITIES = (odd_value, odd_text, odd_type, same_identity, moved, foreign_with_known)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--from", dest="source", type=Path, required=True, help="folder with the official files")
    parser.add_argument("--corpus", type=Path, help="folder with published files (default: DIR/../corpus/real)")
    parser.add_argument("--generated", type=int, default=500, help="how many documents to generate")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    corpus = arguments.corpus or arguments.source / ".." / "corpus" / "real"
    files = sorted(corpus.rglob("*.xml"))
    if not files:
        print(f"no XML files in {corpus}: give --corpus", file=sys.stderr)
        return 2
    start = time.monotonic()
    declarations, unlike = structure_differences(arguments.source)
    print(f"{declarations} declarations of the official files, {len(unlike)} different in ours\n")
    comparison = Comparison(arguments.source)
    comparison.differences += unlike
    own: Counter[str] = Counter()
    for path in files:
        _compare_file(comparison, path, own)
    print(comparison.table(f"{len(files)} published files, each against every version"))
    print("against the version they name: " + ", ".join(f"{count} {what}" for what, count in sorted(own.items())))
    for name, kind, data in generated(arguments.generated, arguments.seed):
        # Without collect_ids=False a repeated xml:id would not even count as well-formed.
        root = etree.fromstring(data, etree.XMLParser(collect_ids=False))
        for version in VERSIONS:
            comparison.compare(name, root, version, kind)
    print()
    print(comparison.table(f"{arguments.generated} generated documents (seed {arguments.seed}), each against every version"))
    print(
        f"\n{len(comparison.differences)} differences, {time.monotonic() - start:.0f} s, libxml2 {'.'.join(map(str, etree.LIBXML_VERSION))}"
    )
    for difference in comparison.differences[:50]:
        print(difference, file=sys.stderr)
    return 1 if comparison.differences else 0


def _compare_file(comparison: Comparison, path: Path, own: Counter[str]) -> None:
    """One published file; what is not well-formed is compared as far as libxml2 recovers it."""
    data = path.read_bytes()
    parser = etree.XMLParser(recover=True, huge_tree=True, no_network=True, resolve_entities=False, load_dtd=False)
    root = etree.fromstring(data, parser)
    name = f"{path.parent.name}/{path.name}"
    if root is None:
        own["unreadable"] += 1
        return
    broken = "recovered, " if len(parser.error_log) else ""
    named = root.get("version", "")
    for kind in corpus_kinds(root):
        for version in VERSIONS:
            accepted = comparison.compare(name, root, version, kind)
            if version == named:
                own[broken + ("valid" if accepted else "invalid")] += 1
    if named not in VERSIONS:
        own[f"{broken}no known version"] += 1


if __name__ == "__main__":
    sys.exit(main())
