# ruff: noqa: E501 - XML reads better on one line
"""Lines and columns are those of the file, however long it is and however it is cut."""

from iati_platform.reading import read


def activity(number: int, lines: int = 3, extra: str = "") -> str:
    blank = "\n" * lines
    return f"<iati-activity>\n  <iati-identifier>A-{number}</iati-identifier>{blank}  <title><narrative>é{number}</narrative></title>{extra}\n</iati-activity>\n"


def line_of(text: str, what: str) -> tuple[int, int]:
    at = text.index(what)
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def test_records_and_errors_beyond_line_65535_have_exact_lines() -> None:
    text = (
        '<?xml version="1.0"?>\n<iati-activities\n  version="2.03">\n'
        + "".join(activity(number, 40) for number in range(3000))
        + "</iati-activities>"
    )
    assert text.count("\n") > 120_000
    records = list(read(text.encode()).records())
    for number in (0, 1600, 2999):
        assert records[number].line == line_of(text, f"A-{number}<")[0] - 1
        (error,) = records[number].schema_errors  # the title stands where reporting-org is expected
        assert (error.line, error.path) == (line_of(text, f"é{number}<")[0], f"/iati-activities/iati-activity[{number + 1}]/title")


def test_one_activity_of_more_than_65535_lines_has_exact_lines() -> None:
    inside = "".join(f"<transaction>\n<value>{number}</value>\n</transaction>\n" for number in range(40_000))
    text = f'<iati-activities version="2.03"><iati-activity>\n{inside}<wrong/></iati-activity></iati-activities>'
    (record,) = read(text.encode()).records()
    reading = read(text.encode())
    last = 2 * 40_000 - 1
    assert reading.locate(record, [last])[last] == line_of(text, "<transaction>\n<value>39999")
    late = [error for error in record.schema_errors if error.ordinal is not None and error.ordinal > 65_000]
    assert all(error.line == reading.locate(record, [error.ordinal or 0])[error.ordinal or 0][0] for error in late)


def test_columns_count_characters_and_attributes_have_places_of_their_own() -> None:
    text = '<iati-activities version="2.03"><!-- é --><iati-activity><iati-identifier>é</iati-identifier><sector\n  vocabulary="a code=\'1\'" code="2" xml:lang="fr"/></iati-activity></iati-activities>'
    for data in (text.encode(), b"\xef\xbb\xbf" + text.encode()):
        reading = read(data)
        (record,) = reading.records()
        lang = "{http://www.w3.org/XML/1998/namespace}lang"
        assert reading.places(record, [(0, None), (2, None), (2, "code"), (2, lang), (2, "absent")]) == {
            (0, None): line_of(text, "<iati-activity>"),
            (2, None): line_of(text, "<sector"),
            (2, "code"): line_of(text, '2" xml'),
            (2, lang): line_of(text, "fr"),
            (2, "absent"): line_of(text, "<sector"),
        }


def test_comments_and_sections_do_not_shift_ordinals() -> None:
    text = "<iati-activities><iati-activity><!-- <a/> --><title><narrative><![CDATA[<b/>]]></narrative></title><?p <c/> ?><sector/></iati-activity></iati-activities>"
    reading = read(text.encode())
    (record,) = reading.records()
    assert reading.locate(record, [1, 2, 3]) == {1: line_of(text, "<title"), 2: line_of(text, "<narrative"), 3: line_of(text, "<sector")}
    assert record.groups["title"][0][3][0][2] == "<b/>"


def test_errors_between_records_have_lines_of_the_file() -> None:
    text = '<iati-activities version="2.03">\n' + activity(1) + "\n<odd/>\n" + activity(2) + "</iati-activities>"
    reading = read(text.encode())
    assert len(list(reading.records())) == 2
    assert [(error.line, error.path) for error in reading.envelope_errors] == [(line_of(text, "<odd/>")[0], "/iati-activities/odd")]
    assert not reading.schema_valid


def test_memory_stays_near_the_size_of_the_file() -> None:
    import tracemalloc

    text = (
        '<iati-activities version="2.03">'
        + "".join(activity(number, 0, "<sector code='1'/>" * 50) for number in range(12_000))
        + "</iati-activities>"
    )
    data = text.encode()
    assert len(data) > 12_000_000
    del text
    tracemalloc.start()
    assert sum(1 for _ in read(data).records()) == 12_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10_000_000  # besides the input; Python's own share, the tree of one batch comes on top
