"""Small IATI files and what becomes of them, for the tests of the tables."""

from __future__ import annotations

from pathlib import Path

from iati_platform import reading
from iati_platform.datastore import tables
from iati_platform.registry.refs import DatasetRef

SECOND = b"""<?xml version="1.0"?>
<iati-activities version="2.03">
  <iati-activity xml:lang="en" default-currency="EUR" humanitarian="1" hierarchy="2" last-updated-datetime="2024-05-06T07:08:09Z">
    <iati-identifier> XM-EX-1-A </iati-identifier>
    <reporting-org ref="XM-EX-1" type="21"><narrative>Example Org</narrative></reporting-org>
    <title><narrative>  </narrative><narrative xml:lang="fr">Eau potable</narrative></title>
    <description><narrative>Wells</narrative></description>
    <participating-org role="1" ref="XM-EX-2"><narrative>Funder</narrative></participating-org>
    <activity-status code="2"/>
    <activity-date type="1" iso-date="2020-01-01"/>
    <activity-date type="2" iso-date="2020-02-30"/>
    <activity-date type="2" iso-date="2020-02-03Z"/>
    <recipient-country code="KE" percentage="60"/>
    <recipient-region code="289" vocabulary="1" percentage="40"/>
    <location><point><pos>-1.28 36.82</pos></point></location>
    <sector vocabulary="2" code="140" percentage="100"/>
    <sector code="14030" percentage="100"/>
    <default-finance-type code="110"/>
    <default-aid-type code="C01"/>
    <budget type="1"><period-start iso-date="2020-01-01"/><period-end iso-date="2020-12-31"/>
      <value value-date="2020-01-01">1000.12345</value></budget>
    <transaction ref="T1" humanitarian="false">
      <transaction-type code="3"/>
      <transaction-date iso-date="2020-03-04"/>
      <value currency="USD" value-date="2020-03-05"> 12.5 </value>
      <provider-org ref="XM-EX-2" provider-activity-id="XM-EX-2-P"><narrative>Funder</narrative></provider-org>
      <sector vocabulary="99" code="own"/><sector vocabulary="1" code="14031"/>
      <finance-type code="421"/>
    </transaction>
    <transaction>
      <transaction-type code="4"/>
      <transaction-date iso-date="soon"/>
      <value value-date="2021-01-01">1,000</value>
    </transaction>
    <result type="1"><title><narrative>Health</narrative></title>
      <indicator measure="1"><title><narrative>Wells dug</narrative></title>
        <period><period-start iso-date="2020-01-01"/><period-end iso-date="2020-12-31"/><target value="10"/><actual value="7"/></period>
      </indicator>
    </result>
    <related-activity ref="XM-EX-1-B" type="1"/>
  </iati-activity>
</iati-activities>"""

FIRST = b"""<iati-activities version="1.03">
  <iati-activity default-currency="GBP">
    <reporting-org ref="GB-1" type="10">Old Department</reporting-org>
    <iati-identifier>GB-1-X</iati-identifier>
    <title>Roads</title>
    <activity-date type="start-planned" iso-date="2009-04-01">April</activity-date>
    <activity-date type="end-actual">2011-04-01</activity-date>
    <location><coordinates latitude="95" longitude="36.5"/></location>
    <transaction>
      <transaction-type code="D">Disbursement</transaction-type>
      <value value-date="2010-01-01">5000000000000000000.5</value>
      <description>First tranche</description>
      <transaction-date iso-date="2010-02-03"/>
      <receiver-org>Kenya</receiver-org>
    </transaction>
  </iati-activity>
</iati-activities>"""

ORGANISATION = b"""<iati-organisations version="2.03">
  <iati-organisation default-currency="EUR">
    <organisation-identifier>XM-EX-1</organisation-identifier>
    <name><narrative>Example Org</narrative></name>
    <reporting-org ref="XM-EX-1" type="21"><narrative>Example Org</narrative></reporting-org>
    <total-budget status="1"><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/><value>1</value></total-budget>
    <recipient-country-budget><recipient-country code="KE"/><period-start iso-date="2024-01-01"/><period-end iso-date="2024-12-31"/>
      <value currency="USD">2</value></recipient-country-budget>
    <document-link url="https://example.org/plan.pdf" format="application/pdf"><title><narrative>Plan</narrative></title></document-link>
  </iati-organisation>
</iati-organisations>"""


def built(data: bytes, admitted: bool = True) -> dict[str, bytes]:
    """The rows of a file as the process step makes them."""
    source = reading.read(data)
    builder = tables.TablesBuilder(source)
    for record in source.records():
        builder.add(record, admitted)
    return builder.finish()


def dataset(name: str, version: str = "1", org: str = "example", licence: str | None = "cc-by") -> DatasetRef:
    """A registered dataset with the content `version`."""
    return DatasetRef(f"id-of-{name}", name, f"id-of-{org}", org, version * 64, version * 40, licence, f"https://example.org/{name}.xml")


def published(directory: Path, **files: bytes) -> Path:
    """The tables of one generation with these files, by dataset name."""
    writer = tables.TablesWriter(directory, None)
    for name, data in files.items():
        writer.replace(dataset(name), built(data))
    writer.commit()
    return directory
