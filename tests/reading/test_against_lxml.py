# ruff: noqa: E501 - XML reads better on one line
"""Whatever the file holds, reading says what a plain parse of the whole file says."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from iati_platform.reading import file, read
from tests.reading.content import compare, whole

SETTINGS = settings(max_examples=60, deadline=None)

words = st.text(st.sampled_from("ab <>&'\"é\t\n-]!?/=中"), max_size=8)
comments = st.sampled_from(["<!-- <iati-activity> -->", "<!---->", "<?pi <iati-activity> ?>", "<!-- a > ' \" -->"])
spaces = st.sampled_from(["", " ", "\n", "\n\t \n", "\r\n"])


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@st.composite
def attributes(draw: st.DrawFn) -> str:
    parts = []
    for name in draw(st.lists(st.sampled_from(["code", "vocabulary", "ref", "xml:lang", "x:y", "percentage"]), unique=True, max_size=3)):
        quote = draw(st.sampled_from("\"'"))
        value = draw(words).replace("&", "&amp;").replace("<", "&lt;").replace(quote, "&quot;" if quote == '"' else "&apos;")
        parts.append(f"{draw(st.sampled_from([' ', chr(10), '  ']))}{name}={quote}{value}{quote}")
    return "".join(parts)


@st.composite
def text(draw: st.DrawFn) -> str:
    kind = draw(st.integers(0, 3))
    plain = draw(words)
    if kind == 0:
        return escaped(plain)
    if kind == 1:
        return "<![CDATA[" + plain.replace("]", "") + "<iati-activity></iati-activity>]]>"
    if kind == 2:
        return escaped(plain) + draw(comments) + escaped(draw(words))
    return "&#65;&#x20;" + escaped(plain)


@st.composite
def elements(draw: st.DrawFn, depth: int = 2) -> str:
    name = draw(
        st.sampled_from(
            ["title", "narrative", "sector", "transaction", "value", "description", "x:note", "odd", "iati-activity", "location"]
        )
    )
    start = f"<{name}{draw(attributes())}"
    if draw(st.booleans()):
        return start + draw(st.sampled_from(["/>", " />"]))
    inside = [draw(text())]
    if depth:
        for child in draw(st.lists(elements(depth=depth - 1), max_size=3)):
            inside += [draw(spaces), child, draw(st.one_of(spaces, comments, text()))]
    return f"{start}{draw(spaces)}>{''.join(inside)}</{name}{draw(spaces)}>"


@st.composite
def records(draw: st.DrawFn) -> str:
    if draw(st.integers(0, 9)) == 0:
        return "<iati-activity/>"
    first = "<iati-identifier>A-1</iati-identifier>" if draw(st.booleans()) else ""
    inside = "".join(draw(spaces) + element for element in draw(st.lists(elements(), max_size=4)))
    return f"<iati-activity{draw(attributes())}>{first}{inside}{draw(spaces)}</iati-activity>"


@st.composite
def files(draw: st.DrawFn) -> bytes:
    version = draw(st.sampled_from(["2.03", "2.01", "1.04", "1.01", "9.99"]))
    between = st.one_of(spaces, spaces, comments, st.just("<x:extra>e</x:extra>"), st.just("<odd><iati-activity/></odd>"), st.just("text"))
    body = "".join(draw(between) + record for record in draw(st.lists(records(), max_size=6))) + draw(between)
    head = draw(st.sampled_from(["", '<?xml version="1.0" encoding="UTF-8"?>\n', "<?xml version='1.0'?>", "\n<!-- c -->"]))
    root = f"<iati-activities{draw(spaces) or ' '}version='{version}' xmlns:x='urn:x'{draw(st.sampled_from(['', ' a=chr(62)'.replace('chr(62)', chr(34) + '>' + chr(34))]))}>"
    return (head + root + body + "</iati-activities>" + draw(spaces)).encode("utf-8")


@SETTINGS
@given(files())
def test_content_order_and_verdicts_are_those_of_a_whole_parse(data: bytes) -> None:
    assert whole(data) is not None
    assert compare(read(data), data) == []


@SETTINGS
@given(files(), st.data())
def test_the_same_in_the_smallest_batches(data: bytes, draws: st.DataObject) -> None:
    before = file.BATCH
    try:
        file.BATCH = draws.draw(st.integers(1, 400))
        assert compare(read(data), data) == []
    finally:
        file.BATCH = before


@settings(max_examples=150, deadline=None)
@given(files(), st.data())
def test_broken_files_are_refused_and_only_they(data: bytes, draws: st.DataObject) -> None:
    changed = bytearray(data)
    for _ in range(draws.draw(st.integers(1, 3))):
        at = draws.draw(st.integers(0, len(changed) - 1))
        how = draws.draw(st.integers(0, 3))
        if how == 0:
            del changed[at : at + draws.draw(st.integers(1, 20))]
        elif how == 1:
            changed[at:at] = draws.draw(
                st.sampled_from([b"<", b">", b"&", b'"', b"'", b"</iati-activity>", b"<iati-activity>", b"<!--", b"]]>", b"\xff"])
            )
        elif how == 2:
            changed[at] = draws.draw(st.sampled_from(b"<>/&'\"= ax\x00\xe9"))
        else:
            del changed[at:]
        if not changed:
            return
    mutated = bytes(changed)
    assert compare(read(mutated), mutated) == []


def test_real_files(corpus: Path) -> None:
    found = {}
    for path in sorted(corpus.glob("real/**/*.xml")):
        data = path.read_bytes()
        lines = compare(read(data), data)
        if lines:
            found[path.name] = lines[:3]
    assert found == {}
