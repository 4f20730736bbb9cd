"""Importers: bring reporting organisations and datasets from a SOURCE into the registry.

`source` understands what a SOURCE is · `registry_json` reads the document · `checking` judges single records ·
`comparing` finds what changed (pure) · `applying` writes it, everything in one transaction · `service` ties them together.
"""

from iati_platform.registry.importers.results import ImportResult, Remark, Tally
from iati_platform.registry.importers.service import import_remembered, import_source
from iati_platform.registry.importers.source import SourceError, SourceForm, SourceSpec, parse_source

__all__ = [
    "ImportResult",
    "Remark",
    "SourceError",
    "SourceForm",
    "SourceSpec",
    "Tally",
    "import_remembered",
    "import_source",
    "parse_source",
]
