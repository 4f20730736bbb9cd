"""Is it IATI, and in which encoding? Decided from the beginning of a file."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iati_platform.bulk.catalogue import Cause
from iati_platform.bulk.sniff import charset, detect_encoding, root_name, sniff

TEXT = '<?xml version="1.0"?><iati-activities version="2.03"><!-- größer --></iati-activities>'


@pytest.mark.parametrize(
    "start",
    [
        "<iati-activities>",
        "<iati-organisations version='2.03'>",
        "<iati-activities/>",
        "<iati-activities\n\tversion='2.03'>",
        '<?xml version="1.0" encoding="UTF-8"?><iati-activities>',
        '<?xml version="1.0"?>\r\n\t \n<iati-organisations>',
        "\n\n<iati-activities>",
        '\n<?xml version="1.0"?><iati-activities>',
        "<!-- made by us --><iati-activities>",
        "<!----><iati-activities>",
        "<!-- one --><!-- two\nlines -->\n<!-- a > b -- c --><iati-activities>",
        '<?xml-stylesheet href="a.xsl"?><iati-activities>',
        '<!DOCTYPE iati-activities SYSTEM "x.dtd"><iati-activities>',
        '<!DOCTYPE iati-activities [<!ENTITY a "x>]y"> <!-- ]> --> ]><iati-activities>',
        "<iati:iati-activities xmlns:iati='urn:x'>",
        "<!--" + "x" * 100_000 + "--><iati-activities>",
        "<iati-activities version='2.03' version='2.03'><broken",
    ],
)
def test_beginnings_of_iati_files(start: str) -> None:
    assert sniff(start.encode()).refusal is None


def page(start: str) -> bytes:
    return start.encode()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("a.xml", TEXT)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "cause"),
    [
        (b"", Cause.EMPTY),
        (b" \r\n\t", Cause.EMPTY),
        (codecs.BOM_UTF8, Cause.EMPTY),
        (b"\0\0\0", Cause.EMPTY),
        (page("<!DOCTYPE html>\n<html><body>"), Cause.HTML),
        (page("\n<HTML><head>"), Cause.HTML),
        (page('<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "x"><html xmlns="x">'), Cause.HTML),
        (page("<!-- login --><html>"), Cause.HTML),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj", Cause.PDF),
        (gzip.compress(TEXT.encode(), mtime=0), Cause.GZIP),
        (archive(), Cause.ZIP),
        (json.dumps({"iati-activities": []}).encode(), Cause.JSON),
        (b"[1, 2]", Cause.JSON),
        (page('<?xml version="1.0"?><rss version="2.0">'), Cause.OTHER_XML),
        (page("<IATI-ACTIVITIES>"), Cause.OTHER_XML),
        (page("<iati activities>"), Cause.OTHER_XML),
        (page("<iati-activity>"), Cause.OTHER_XML),
        (page('<?xml version="1.0"?>'), Cause.OTHER_XML),
        (page("Dear publisher,"), Cause.TEXT),
        (page("iati-activities"), Cause.TEXT),
        (page("Hello <iati-activities>"), Cause.TEXT),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Cause.BINARY),
        (bytes(range(256)) * 4, Cause.BINARY),
    ],
)
def test_what_else_publishers_serve(data: bytes, cause: Cause) -> None:
    refusal = sniff(data).refusal
    assert refusal is not None
    assert refusal.cause is cause
    assert refusal.summary.endswith(".")


@pytest.mark.parametrize(
    ("data", "encoding", "published"),
    [
        (TEXT.encode(), "utf-8", "utf-8"),
        (b"<iati-activities/>", "utf-8", "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8-sig", "utf-8"),
        (TEXT.encode("utf-16"), "utf-16", "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16", "utf-16"),
        (TEXT.encode("utf-16-le"), "utf-16-le", "utf-16-le"),
        (TEXT.encode("utf-16-be"), "utf-16-be", "utf-16-be"),
        (TEXT.encode("utf-32"), "utf-32", "utf-32"),
        (TEXT.encode("utf-32-be"), "utf-32-be", "utf-32-be"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><iati-activities>\xe9', "iso8859-1", "iso-8859-1"),
        (b"<?xml version='1.0' encoding = 'windows-1252' standalone='yes'?><iati-activities>\x80", "cp1252", "windows-1252"),
        (b'<?xml version="1.0" encoding="US-ASCII"?><iati-activities>', "ascii", "us-ascii"),
        (b'<?xml version="1.0" encoding="UTF-8"?><iati-activities>\xff', "utf-8", "utf-8"),
        (b"<iati-activities>\xe9", "iso8859-1", "iso-8859-1"),
        (b'<?xml version="1.0" encoding="UTF-16"?><iati-activities>', "utf-8", "utf-8"),  # cannot be: it was readable byte by byte
        (b'<?xml version="1.0" encoding="no-such-thing"?><iati-activities>\xc3\xa9', "utf-8", "utf-8"),
        (b'<?xml version="1.0" encoding="rot13"?><iati-activities>', "utf-8", "utf-8"),
        (b'<?xml version="1.0" encoding="unicode_escape"?><iati-activities>', "utf-8", "utf-8"),
    ],
)
def test_encodings(data: bytes, encoding: str, published: str) -> None:
    found = sniff(data)
    assert (found.encoding, charset(found.encoding), found.refusal) == (encoding, published, None)


def test_the_first_characters_without_line_ends() -> None:
    text = '<?xml version="1.0"?>\r\n<iati-activities>\n' + "é" * 200
    expected = ('<?xml version="1.0"?><iati-activities>' + "é" * 200)[:150]
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        assert sniff(text.encode(encoding)).initial_contents == expected
    assert sniff(b"<iati-activities>\0").initial_contents == "<iati-activities>"


@given(st.binary(max_size=300))
def test_nothing_upsets_it(data: bytes) -> None:
    found = sniff(data)
    assert codecs.lookup(found.encoding)
    assert codecs.lookup(charset(found.encoding))
    assert len(found.initial_contents) <= 150


@given(st.lists(st.sampled_from(["<!-- c > -->", "<?p x?>", " ", "\n", "<!DOCTYPE a [<!ELEMENT a ANY>]>", "<?xml version='1.0'?>"])))
def test_the_root_is_found_behind_any_prolog(prolog: list[str]) -> None:
    assert root_name("".join(prolog) + "<iati-activities a='1'>") == "iati-activities"
    assert detect_encoding("".join(prolog).encode()) == "utf-8"
