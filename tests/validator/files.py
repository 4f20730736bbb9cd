"""Small files to validate: a good activity and organisation, and changes to them."""

from __future__ import annotations

from datetime import date

from iati_platform.validator import Report, validate

TODAY = date(2026, 6, 30)

ACTIVITY = """<iati-activity xml:lang="en" default-currency="EUR" last-updated-datetime="2026-01-02T03:04:05Z">
<iati-identifier>GB-COH-000001-A1</iati-identifier>
<reporting-org ref="GB-COH-000001" type="21"><narrative>Org</narrative></reporting-org>
<title><narrative>Wells</narrative></title>
<description type="1"><narrative>Wells for schools</narrative></description>
<participating-org role="1" ref="GB-COH-000001" type="21"><narrative>Org</narrative></participating-org>
<activity-status code="2"/>
<activity-date type="2" iso-date="2025-01-01"/>
<recipient-country code="KE"/>
<sector vocabulary="1" code="14030"/>
</iati-activity>"""

ORGANISATION = """<iati-organisation xml:lang="en" default-currency="EUR" last-updated-datetime="2026-01-02T03:04:05Z">
<organisation-identifier>GB-COH-000001</organisation-identifier>
<name><narrative>Org</narrative></name>
<reporting-org ref="GB-COH-000001" type="21"><narrative>Org</narrative></reporting-org>
</iati-organisation>"""


def file_of(*activities: str, version: str = "2.03") -> bytes:
    return f'<iati-activities version="{version}">\n{chr(10).join(activities)}\n</iati-activities>'.encode()


def organisations_of(*organisations: str, version: str = "2.03") -> bytes:
    return f'<iati-organisations version="{version}">\n{chr(10).join(organisations)}\n</iati-organisations>'.encode()


def changed(old: str, new: str, source: str = ACTIVITY) -> str:
    assert old in source
    return source.replace(old, new)


def added(after: str, xml: str, source: str = ACTIVITY) -> str:
    """`xml` behind the last element called `after`."""
    end = max(
        source.rfind(f"</{after}>") + len(after) + 3 if f"</{after}>" in source else -1,
        source.find("/>", source.rfind(f"<{after} ")) + 2 if f"<{after} " in source else -1,
    )
    return source[:end] + xml + source[end:]


def report(*activities: str, version: str = "2.03") -> Report:
    return validate(file_of(*activities, version=version), as_of=TODAY)
