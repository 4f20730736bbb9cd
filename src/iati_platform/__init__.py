"""The IATI Unified Platform: registry, fetching, validation, search, statistics in one package."""

__version__ = "0.1.0"
