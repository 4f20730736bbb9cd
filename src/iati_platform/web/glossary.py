"""The field's terms in plain words, shown where a page uses one for the first time and on `/glossary`."""

from __future__ import annotations

TERMS: dict[str, tuple[str, str]] = {
    "activity": (
        "Activity",
        "One piece of development or humanitarian work as its organisation reports it: a project, a programme, a grant or a contract.",
    ),
    "advisory": ("Advisory", "A remark of the validator about something that is allowed but could serve readers better."),
    "budget": (
        "Budget",
        "What an organisation plans to spend in a period of up to one year, inside an activity or for a whole organisation.",
    ),
    "codelist": ("Codelist", "A list of codes the IATI Standard agrees on, so that 'KE' means Kenya for everybody."),
    "critical": (
        "Critical",
        "A finding of the validator that keeps a file or an activity from being used: it cannot be read or breaks the schema.",
    ),
    "dataset": ("Dataset", "One registered XML file of an organisation, at an address on the organisation's own web server."),
    "generation": (
        "Generation",
        "One complete published state of this platform. All pages and downloads change together when a new one is ready.",
    ),
    "held-back": (
        "Held back",
        "Kept here and shown on the dataset's page, but not in the Datastore: it breaks the schema or uses version 1 of the Standard.",
    ),
    "iati": (
        "IATI",
        "The International Aid Transparency Initiative: an agreement, and a data standard, for saying openly what aid money does.",
    ),
    "identifier": ("Identifier", "The name a machine knows an organisation or an activity by; it never changes and no other has the same."),
    "last-good-copy": (
        "Last good copy",
        "The newest version of a dataset that could be downloaded. It stays in use while the publisher's server has trouble.",
    ),
    "licence": ("Licence", "What the publishing organisation allows others to do with its data."),
    "organisation-file": (
        "Organisation file",
        "A dataset about the organisation itself: its total budgets and documents, without activities.",
    ),
    "reporting-organisation": ("Reporting organisation", "An organisation that publishes IATI data about its own work."),
    "schema": ("Schema", "The formal description of which elements an IATI file may hold, in which order and how often."),
    "short-name": ("Short name", "The name of an organisation or dataset in addresses and file names."),
    "transaction": ("Transaction", "One movement of money inside an activity: a commitment, a payment, an expense or money received."),
    "validation": ("Validation", "Checking a file against the schema, the codelists and the rules of the IATI Standard."),
}
"""Key: (term, explanation). Written for this platform."""
