"""The IATI Standard as data: versions, element trees, schemas, codelists, mappings, rules, rates. Imports no other room.

Everything is read from the tables in `data/` (made by `tools/build_standard.py`), when first asked for, and kept for the process.
"""

from __future__ import annotations

from iati_platform.standard.codelists import Code, Codelist, code_name, codelist, codelist_names, registration_agencies
from iati_platform.standard.elements import XML_NAMESPACE, AttributeSpec, ElementSpec, element_tree, tree_size
from iati_platform.standard.fields import Field, fields
from iati_platform.standard.licences import Licence, licences
from iati_platform.standard.mappings import EVERYWHERE, Mapping, mappings
from iati_platform.standard.rates import ExchangeRates, Rate, exchange_rates
from iati_platform.standard.rules import CodelistRule, RuleCase, codelist_rules, rules
from iati_platform.standard.schemas import schema_source, xml_attributes_source, xml_schema
from iati_platform.standard.tables import Source, data_version, sources
from iati_platform.standard.versions import CODELIST_VERSIONS, VERSIONS, FileKind, codelist_version

__all__ = [
    "CODELIST_VERSIONS",
    "EVERYWHERE",
    "VERSIONS",
    "XML_NAMESPACE",
    "AttributeSpec",
    "Code",
    "Codelist",
    "CodelistRule",
    "ElementSpec",
    "ExchangeRates",
    "Field",
    "FileKind",
    "Licence",
    "Mapping",
    "Rate",
    "RuleCase",
    "Source",
    "code_name",
    "codelist",
    "codelist_names",
    "codelist_rules",
    "codelist_version",
    "data_version",
    "element_tree",
    "exchange_rates",
    "fields",
    "licences",
    "mappings",
    "registration_agencies",
    "rules",
    "schema_source",
    "sources",
    "tree_size",
    "xml_attributes_source",
    "xml_schema",
]
