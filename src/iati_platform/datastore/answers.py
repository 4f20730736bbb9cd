"""Select answers as bytes: Solr's JSON envelope, its CSV and its XML (spec/datastore.md §4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import orjson

from iati_platform.datastore.fields import FieldType, collection_fields, field_model
from iati_platform.datastore.payload import Document
from iati_platform.datastore.query.errors import QueryError
from iati_platform.datastore.select import FieldList, Request, Result

Parameters = Sequence[tuple[str, str]]
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_XML_NAMES: Final = {FieldType.DOUBLE: "double", FieldType.INT: "int", FieldType.BOOLEAN: "bool", FieldType.DATE: "date"}


def last(parameters: Parameters, name: str) -> str | None:
    """The last value of a parameter."""
    found = [value for key, value in parameters if key == name]
    return found[-1] if found else None


def truth(text: str | None, default: bool) -> bool:
    return default if text is None else text.strip().lower() in ("true", "on", "yes", "1")


def echoed(parameters: Parameters) -> dict[str, Any]:
    """The caller's parameters as the header gives them back: repeated ones as lists."""
    found: dict[str, Any] = {}
    for name, value in parameters:
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found


def _header(parameters: Parameters, status: int, milliseconds: int) -> dict[str, Any]:
    return {"status": status, "QTime": milliseconds, "params": echoed(parameters)}


def documents(request: Request, result: Result) -> list[Document]:
    """The documents of a result with the wanted fields."""
    found = []
    for one in result.found:
        document = request.fields.pick(one.document)
        if one.score is not None:
            document["score"] = one.score
        found.append(document)
    return found


def json_answer(parameters: Parameters, request: Request, result: Result, milliseconds: int) -> bytes:
    response: dict[str, Any] = {"numFound": result.total, "start": result.start, "numFoundExact": True}
    if request.fields.score and result.max_score is not None:
        response["maxScore"] = result.max_score
    response["docs"] = documents(request, result)
    body = {"response": response}
    if not truth(last(parameters, "omitHeader"), False):
        body = {"responseHeader": _header(parameters, 0, milliseconds), **body}
    return _json(parameters, body)


def error_answer(parameters: Parameters, code: int, message: str, milliseconds: int = 0) -> bytes:
    """The error envelope clients of the peer read (`error.msg`, `error.code`)."""
    kind = "org.apache.solr.common.SolrException"
    error = {"metadata": ["error-class", kind, "root-error-class", kind], "msg": message, "code": code}
    return _json(parameters, {"responseHeader": _header(parameters, code, milliseconds), "error": error})


def _json(parameters: Parameters, body: Mapping[str, Any]) -> bytes:
    indent = truth(last(parameters, "indent"), True)
    return orjson.dumps(body, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE if indent else orjson.OPT_APPEND_NEWLINE)


# -- CSV ------------------------------------------------------------------------------------------------------------


def csv_answer(parameters: Parameters, request: Request, result: Result) -> bytes:
    """Header row and one row per document, in the order of `fl`; the dialect can be set by the `csv.*` parameters."""
    separator = _single(parameters, "csv.separator", ",")
    quote = _single(parameters, "csv.encapsulator", '"')
    newline = last(parameters, "csv.newline") or "\n"
    null = last(parameters, "csv.null") or ""
    many_separator = _single(parameters, "csv.mv.separator", ",")
    many_escape = _single(parameters, "csv.mv.escape", "\\")
    docs = documents(request, result)
    names = csv_names(request, docs)

    def quoted(text: str) -> str:
        if separator in text or quote in text or "\n" in text or "\r" in text or text != text.strip():
            return quote + text.replace(quote, quote + quote) + quote
        return text

    def cell(value: Any) -> str:
        if value is None:
            return null
        if isinstance(value, list):
            parts = (
                _csv_text(one).replace(many_escape, many_escape * 2).replace(many_separator, many_escape + many_separator) for one in value
            )
            return quoted(many_separator.join(parts))
        return quoted(_csv_text(value))

    rows: list[str] = []
    if truth(last(parameters, "csv.header"), True):
        rows.append(separator.join(quoted(name) for name in names))
    rows += [separator.join(cell(document.get(name)) for name in names) for document in docs]
    return "".join(row + newline for row in rows).encode()


def csv_names(request: Request, docs: Iterable[Document]) -> list[str]:
    """The columns: names as asked for; a glob gives the fields of the model that match, then other names the documents have."""
    fields: FieldList = request.fields
    model = [field.name for field in collection_fields(request.collection)]
    extra = list(dict.fromkeys(name for document in docs for name in document if name not in field_model() and name != "score"))
    names: list[str] = []
    for pattern in fields.names:
        if "*" in pattern or "?" in pattern:
            picked = FieldList((pattern,), {}, score=False, explicit=True)
            present = {name for document in docs for name in document}
            # Without documents every field there is is named; with them only those that occur.
            names += [name for name in [*model, *extra] if picked.wants(name) and (not present or name in present)]
        else:
            names.append(pattern)
    names += list(fields.renamed)
    if fields.score:
        names.append("score")
    return list(dict.fromkeys(names))


def _single(parameters: Parameters, name: str, default: str) -> str:
    value = last(parameters, name)
    if value is None or value == "":
        return default
    value = {"\\t": "\t", "\\n": "\n"}.get(value, value)
    if len(value) != 1:
        raise QueryError(f"{name} must be a single character.")
    return value


def _csv_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# -- XML ------------------------------------------------------------------------------------------------------------


def xml_answer(parameters: Parameters, request: Request, result: Result, milliseconds: int) -> bytes:
    """The engine's envelope, not IATI XML."""
    parts = ['<?xml version="1.0" encoding="UTF-8"?>\n<response>\n']
    if not truth(last(parameters, "omitHeader"), False):
        parts.append(f'<lst name="responseHeader"><int name="status">0</int><int name="QTime">{milliseconds}</int><lst name="params">')
        for name, value in echoed(parameters).items():
            parts.append(_xml(name, value, None))
        parts.append("</lst></lst>\n")
    score = f' maxScore="{result.max_score}"' if request.fields.score and result.max_score is not None else ""
    parts.append(f'<result name="response" numFound="{result.total}" start="{result.start}" numFoundExact="true"{score}>\n')
    for document in documents(request, result):
        parts.append("<doc>")
        for name, value in document.items():
            field = field_model().get(name)
            parts.append(_xml(name, value, _XML_NAMES.get(field.type) if field else "float" if name == "score" else None))
        parts.append("</doc>\n")
    parts.append("</result>\n</response>\n")
    return "".join(parts).encode()


def _xml(name: str | None, value: Any, kind: str | None) -> str:
    attribute = "" if name is None else f" name={quoteattr(name)}"
    if isinstance(value, list):
        return f"<arr{attribute}>{''.join(_xml(None, one, kind) for one in value)}</arr>"
    tag = kind or "str"
    return f"<{tag}{attribute}>{escape(_CONTROL.sub('', _csv_text(value)))}</{tag}>"
