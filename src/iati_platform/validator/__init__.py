"""Validating IATI files: `validate(data)` gives a Report.

from iati_platform.validator import validate
report = validate(Path("activities.xml").read_bytes())
for finding in report.findings:
    print(finding.severity, finding.message, finding.contexts[0].line)
"""

from iati_platform.validator.builder import ReportBuilder
from iati_platform.validator.report import Context, Element, Finding, Report, report_from_json, report_to_json
from iati_platform.validator.service import validate

__all__ = ["Context", "Element", "Finding", "Report", "ReportBuilder", "report_from_json", "report_to_json", "validate"]
