"""The schemas of the three search indexes, derived from the field model, and the analysers they name.

Internal fields begin with `_`; searched fields are `f<number>`, largest values `m<number>` (see fragments.py). Three indexes rather than
one, because the engine keeps a byte per document and text field: a transaction has 30 text fields of its own, an activity 250.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

import tantivy

from iati_platform.datastore.fields import Collection, Field, FieldType, Scope, field_model, own_scope
from iati_platform.datastore.fragments import key_of, maximum_of

#: Raise when a schema or the meaning of a stored value changes: an index of another format is built anew.
INDEX_FORMAT: Final = 1

#: Blank-separated, lower-cased (texts are cut before, see analysis.py); as a column: the whole value.
WORDS: Final = "words"
#: The whole value, as it is.
WHOLE: Final = "whole"
#: Nothing is searched: the field is only stored.
SILENT: Final = "silent"


def searched_fields(collection: Collection) -> tuple[Field, ...]:
    """The Standard's fields an index of this collection holds itself: all for activities, their own for transactions and budgets."""
    wanted = own_scope(collection)
    return tuple(
        field
        for field in field_model().values()
        if field.scope is not Scope.PLATFORM and (collection is Collection.ACTIVITY or field.scope is wanted)
    )


@cache
def schema(collection: Collection) -> tantivy.Schema:
    """The engine's schema of one collection."""
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("_key", indexed=True, fast=True)
    builder.add_unsigned_field("_dataset", indexed=True, fast=True)
    builder.add_unsigned_field("_order", indexed=True, fast=True)
    builder.add_boolean_field("_held", indexed=True)
    if collection is Collection.ACTIVITY:
        _platform_fields(builder)
    else:
        builder.add_unsigned_field("_n", fast=True)
    builder.add_text_field("_t", tokenizer_name=WORDS)
    builder.add_unsigned_field("_has", indexed=True)
    for field in searched_fields(collection):
        _add(builder, field, with_maximum=collection is Collection.ACTIVITY)
    return builder.build()


def _platform_fields(builder: tantivy.SchemaBuilder) -> None:
    for name in ("id", "iati_identifier_exact", "iati_activities_document_id", "iati_activities_document_hash"):
        builder.add_text_field(name, tokenizer_name=WHOLE, fast=True, stored=name == "id")
    builder.add_text_field("_name", tokenizer_name=WHOLE)
    builder.add_integer_field("indexed_datetime", indexed=True, fast=True, stored=True)
    builder.add_text_field("_source", stored=True, tokenizer_name=SILENT)
    builder.add_text_field("_doc", stored=True, tokenizer_name=SILENT)
    builder.add_unsigned_field("_i", indexed=True, fast=True)
    builder.add_boolean_field("_out", stored=True)
    for name in ("_lat", "_lon"):
        builder.add_float_field(name, indexed=True, fast=True)
    builder.add_unsigned_field("_points", indexed=True, fast=True)


def _add(builder: tantivy.SchemaBuilder, field: Field, *, with_maximum: bool) -> None:
    key, maximum = key_of(field), maximum_of(field)
    match field.type:
        case FieldType.TEXT:
            builder.add_text_field(key, tokenizer_name=WORDS)
        case FieldType.CODE:
            builder.add_text_field(key, tokenizer_name=WORDS, fast=True)
        case FieldType.BOOLEAN:
            builder.add_boolean_field(key, indexed=True, fast=True)
        case FieldType.DOUBLE:
            builder.add_float_field(key, indexed=True, fast=True)
        case _:
            builder.add_integer_field(key, indexed=True, fast=True)
    if maximum and with_maximum:
        add: Callable[..., object] = builder.add_float_field if field.type is FieldType.DOUBLE else builder.add_integer_field
        add(maximum, fast=True)


def open_index(directory: Path, collection: Collection, *, create: bool) -> tantivy.Index:
    """Open (or create) the index of a collection below `directory`, analysers registered."""
    folder = directory / collection.value
    if create:
        folder.mkdir(parents=True, exist_ok=True)
        index = tantivy.Index(schema(collection), str(folder), reuse=True)
    else:
        index = tantivy.Index.open(str(folder))
    words = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).filter(tantivy.Filter.lowercase()).build()
    whole = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw()).build()
    silent = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.raw()).filter(tantivy.Filter.remove_long(1)).build()
    for name, analyser in ((WORDS, words), (WHOLE, whole), (SILENT, silent)):
        index.register_tokenizer(name, analyser)
        index.register_fast_field_tokenizer(name, whole)
    index.reload()
    return index
