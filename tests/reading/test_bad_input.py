"""Files nobody should publish: each is refused with a reason and a place, nothing is expanded, fetched or crashed."""

import gzip

import pytest

from iati_platform.reading import Problem, ProblemCode, read

ACTIVITY = "<iati-activity><iati-identifier>A-1</iati-identifier><title><narrative>Café</narrative></title></iati-activity>"
FILE = f'<iati-activities version="2.03">\n{ACTIVITY}\n</iati-activities>'
LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>\n' + FILE.replace("Café", "&b;")
EXTERNAL = '<!-- c -->\n<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd" [<!ENTITY a SYSTEM "file:///etc/hostname">]>\n' + FILE


def problems(data: bytes) -> list[Problem]:
    """All problems, those met while reading records included."""
    reading = read(data)
    list(reading.records())
    return reading.problems


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        (b"", ProblemCode.EMPTY, 0, 0),
        (b" \n\t", ProblemCode.EMPTY, 0, 0),
        (b"\xef\xbb\xbf", ProblemCode.EMPTY, 0, 0),
        (gzip.compress(FILE.encode(), mtime=0), ProblemCode.COMPRESSED, 0, 0),
        (b"PK\x03\x04rest", ProblemCode.COMPRESSED, 0, 0),
        (b"<!DOCTYPE html>\n<html><p>Not found</html>", ProblemCode.HTML, 1, 1),
        (b"<html><body>gone</body></html>", ProblemCode.HTML, 1, 1),
        (b'{"error": "no"}', ProblemCode.NOT_WELL_FORMED, 1, 1),
        (b"\x00\x01\x02\x03", ProblemCode.NOT_WELL_FORMED, 1, 1),
        (b"<rss><channel/></rss>", ProblemCode.NOT_IATI, 1, 1),
        (b'<iati-activities xmlns="urn:x"/>', ProblemCode.NOT_IATI, 1, 1),
        (LAUGHS.encode(), ProblemCode.DOCTYPE, 1, 1),
        (EXTERNAL.encode(), ProblemCode.DOCTYPE, 2, 1),
        (FILE.encode()[:-30], ProblemCode.NOT_WELL_FORMED, 2, 96),
        (FILE.replace("Café", "A & B").encode(), ProblemCode.NOT_WELL_FORMED, 2, 75),
        (FILE.replace("Café", "&nbsp;").encode(), ProblemCode.NOT_WELL_FORMED, 2, 72),
        (FILE.replace("<title>", "<x:title>").replace("</title>", "</x:title>").encode(), ProblemCode.NOT_WELL_FORMED, 2, 54),
        (FILE.encode() + b"\njunk", ProblemCode.NOT_WELL_FORMED, 4, 1),
        (FILE.encode("latin-1"), ProblemCode.ENCODING, 2, 75),
        (b'<?xml version="1.0" encoding="made-up"?>\n' + FILE.encode(), ProblemCode.ENCODING, 1, 1),
        (b'<?xml version="1.0" encoding="UTF-16"?>\n' + FILE.encode(), ProblemCode.ENCODING, 1, 1),
        (b'<?xml version="1.0" encoding="windows-1252"?>\n<iati-activities>\x81</iati-activities>', ProblemCode.ENCODING, 0, 0),
        (b'<?xml version="1.0" encoding="rot13"?>\n' + FILE.encode(), ProblemCode.ENCODING, 1, 1),
        (FILE.replace("Café", "a\x00b").encode(), ProblemCode.NOT_WELL_FORMED, 2, 73),
    ],
)
def test_refused_with_reason_and_place(data: bytes, code: ProblemCode, line: int, column: int) -> None:
    found = problems(data)
    assert [(problem.code, problem.line, problem.column) for problem in found[:1]] == [(code, line, column)]
    assert found[0].message.endswith(".")


def test_nesting_beyond_the_limit_is_refused() -> None:
    deep = FILE.replace("Café", "<a>" * 1000 + "</a>" * 1000).encode()
    assert [problem.code for problem in problems(deep)] == [ProblemCode.TOO_DEEP]
    outside = b"<iati-activities>" + b"<a>" * 300_000 + b"</a>" * 300_000 + b"</iati-activities>"
    assert [problem.code for problem in problems(outside)] == [ProblemCode.TOO_DEEP]


def test_a_text_above_ten_million_bytes_is_refused() -> None:
    assert [problem.code for problem in problems(FILE.replace("Café", "x" * 11_000_000).encode())] == [ProblemCode.TOO_LARGE]


@pytest.mark.parametrize("start", [b"<!--", b"<![CDATA[", b"<?x", b"<iati-activity '", b"<iati-activity ", b"</iati-activity", b"<"])
def test_hostile_repetition_is_scanned_once(start: bytes) -> None:
    """Quadratic scanning of a megabyte would take minutes."""
    assert [problem.code for problem in problems(b"<iati-activities>" + start * 200_000)] == [ProblemCode.NOT_WELL_FORMED]


def test_a_file_broken_in_the_middle_says_so_when_its_records_are_read() -> None:
    good = ACTIVITY * 2000
    data = f"<iati-activities>{good}\n<iati-activity><a></b></iati-activity>{good}</iati-activities>".encode()
    reading = read(data)
    assert reading.problems == []
    assert 0 < len(list(reading.records())) <= 2000
    assert [(problem.code, problem.line, problem.column) for problem in reading.problems] == [(ProblemCode.NOT_WELL_FORMED, 2, 21)]
    assert not reading.schema_valid


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (FILE.encode(), "utf-8"),
        (b"\xef\xbb\xbf" + FILE.encode(), "utf-8"),
        (b'<?xml version="1.0" encoding="UTF-8"?>' + FILE.encode(), "utf-8"),
        (FILE.encode("utf-16"), "utf-16"),
        (FILE.encode("utf-16-le"), "utf-16-le"),
        (FILE.encode("utf-32"), "utf-32"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>' + FILE.encode("latin-1"), "ISO-8859-1"),
        (b'<?xml version="1.0" encoding="windows-1252"?>' + FILE.encode("cp1252"), "windows-1252"),
        (FILE.replace("\n", "\r").encode(), "utf-8"),
        (FILE.replace("\n", "\r\n").encode(), "utf-8"),
    ],
)
def test_every_usual_encoding_is_read(data: bytes, encoding: str) -> None:
    reading = read(data)
    (record,) = reading.records()
    assert (reading.encoding, reading.problems, record.line) == (encoding, [], 2)
    assert record.groups["title"][0][3][0][2] == "Café"


@pytest.mark.parametrize(
    ("version", "tree"), [("2.03", "2.03"), ("1.01", "1.01"), ("2.04", "2.03"), ("1.0", "1.05"), ("", "1.05"), ("two", "1.05")]
)
def test_unknown_versions_are_read_with_the_nearest_tree(version: str, tree: str) -> None:
    reading = read(FILE.replace("2.03", version).encode())
    assert (reading.version, reading.tree_version, len(list(reading.records()))) == (version, tree, 1)
