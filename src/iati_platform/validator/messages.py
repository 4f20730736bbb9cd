"""What each finding says: one sentence on what is wrong and what to do, in our own words, per rule id."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from iati_platform.standard import XML_NAMESPACE, CodelistRule

_SPACES: Final = "begins or ends with white space; remove it"
_SIGNS: Final = "contains one of the characters / & | ?, which identifiers must not have; correct it"

#: Rules of the rulesets, and those fixed in code.
RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "0.1.1": "The file is not well-formed XML; correct the place named below, then check the file again.",
        "0.2.1": "The file is not an IATI file; its root element must be iati-activities or iati-organisations.",
        "0.3.1": "The file does not follow the schema of its version of the IATI Standard.",
        "0.6.1": "The version of the IATI Standard is missing or not known; set the version attribute of the root element.",
        "1.1.2": "The same identifier is used more than once in this file; give every activity or organisation its own.",
        "1.1.3": "The activity identifier is the same as the identifier of the reporting organisation; add a part of your own to it.",
        "1.1.21": "The activity identifier does not begin with the reporting organisation's identifier (or a former one) and a hyphen.",
        "1.3.1": f"The activity identifier {_SPACES}.",
        "1.3.13": f"The activity identifier {_SIGNS}.",
        "1.4.1": f"The provider's activity identifier {_SPACES}.",
        "1.5.1": f"The receiver's activity identifier {_SPACES}.",
        "1.6.1": f"The former activity identifier (type A3) {_SPACES}.",
        "1.7.1": f"The identifier of a related activity {_SPACES}.",
        "1.8.1": f"The identifier of a participating organisation {_SPACES}.",
        "1.8.13": f"The identifier of a participating organisation {_SIGNS}.",
        "1.9.1": f"The activity identifier given for a participating organisation {_SPACES}.",
        "1.10.1": f"The identifier of a provider organisation {_SPACES}.",
        "1.10.13": f"The identifier of a provider organisation {_SIGNS}.",
        "1.11.1": f"The identifier of the owner of another identifier {_SPACES}.",
        "1.11.13": f"The identifier of the owner of another identifier {_SIGNS}.",
        "1.12.1": f"The organisation identifier {_SPACES}.",
        "1.12.13": f"The organisation identifier {_SIGNS}.",
        "1.14.1": f"The identifier of the reporting organisation {_SPACES}.",
        "1.14.8": "The identifier of the reporting organisation does not begin with a known registration agency's code (org-id.guide).",
        "1.14.13": f"The identifier of the reporting organisation {_SIGNS}.",
        "1.15.1": f"The identifier of a receiver organisation {_SPACES}.",
        "1.15.13": f"The identifier of a receiver organisation {_SIGNS}.",
        "1.16.1": f"The former identifier of the reporting organisation (type B1) {_SPACES}.",
        "1.17.1": f"The identifier of a recipient organisation {_SPACES}.",
        "1.18.1": f"The identifier of the reporting organisation {_SPACES}.",
        "1.18.8": "The identifier of the reporting organisation does not begin with a known registration agency's code (org-id.guide).",
        "1.18.13": f"The identifier of the reporting organisation {_SIGNS}.",
        "2.1.1": "Several sectors of one vocabulary need a percentage each; add those that are missing.",
        "2.1.2": "The percentages of the sectors of one vocabulary must add up to 100; correct the shares.",
        "2.1.4": "The only sector of a vocabulary stands for 100 per cent; leave its percentage out or set it to 100.",
        "2.2.1": "A sector of a reporting organisation's own vocabulary (98 or 99) needs a narrative that says what it is; add one.",
        "3.1.1": "Several recipient countries need a percentage each; add those that are missing.",
        "3.1.2": "The percentages of the recipient countries must add up to 100; correct the shares.",
        "3.1.4": "The only recipient country stands for 100 per cent; leave its percentage out or set it to 100.",
        "3.4.1": "Several recipient regions of one vocabulary need a percentage each; add those that are missing.",
        "3.4.2": "The percentages of recipient countries and of the regions of one vocabulary must add up to 100; correct the shares.",
        "3.4.4": "The only recipient region of a vocabulary stands for 100 per cent; leave its percentage out or set it to 100.",
        "3.6.2": "Countries or regions are given both for the activity and for its transactions; give them in one place only.",
        "3.7.1": "No recipient country or region is given, neither for the activity nor for a transaction; add one.",
        "3.7.2": "The activity names no country or region, so every transaction must; add those that are missing.",
        "4.1.1": "The language of a narrative is not known; set xml:lang for the activity or for each narrative.",
        "4.3.1": "A title has no text; write one into a narrative.",
        "4.4.1": "A description has no text; write one into a narrative.",
        "4.5.1": "The language of a narrative is not known; set xml:lang for the organisation or for each narrative.",
        "6.2.2": "No sector is given, neither for the activity nor for its transactions; add at least one.",
        "6.6.2": "Sectors are given both for the activity and for its transactions; give them in one place only.",
        "6.7.2": "The activity has no sector, so every transaction must have one; add those that are missing.",
        "6.8.1": "The owner of another identifier has neither a reference nor a name; add one of them.",
        "6.9.1": "A provider organisation has neither a reference nor a name; add one of them.",
        "6.9.2": "A receiver organisation has neither a reference nor a name; add one of them.",
        "6.10.1": "A participating organisation has neither a reference nor a name; add one of them.",
        "6.11.1": "The activity has no start date; add a planned (type 1) or actual (type 2) one.",
        "6.13.1": "A policy marker of the reporting organisation's own vocabulary (99) needs a narrative that says what it is; add one.",
        "6.14.1": "A policy marker of the OECD vocabulary needs a significance; add the attribute.",
        "7.5.3": "The period is longer than a year; split it into periods of a year or less.",
        "7.8.1": "The currency of an amount is not known; set default-currency for the activity or currency for each amount.",
        "7.8.2": "The currency of an amount is not known; set default-currency for the organisation or currency for each amount.",
        "7.9.1": "Several budget items of one vocabulary need a percentage each; add those that are missing.",
        "7.9.2": "The percentages of the budget items of one vocabulary must add up to 100; correct the shares.",
        "7.9.4": "The only budget item of a vocabulary stands for 100 per cent; leave its percentage out or set it to 100.",
        "8.6.1": "The period begins after it ends; correct one of the two dates.",
        "8.6.3": "The period begins after it ends; correct one of the two dates.",
        "8.8.1": "A baseline of a measured indicator has no value; add one.",
        "8.8.2": "A baseline of a measured indicator is not a number; write the number only.",
        "8.8.3": "A baseline of a qualitative indicator must not have a value; say it in words in its comment.",
        "8.9.1": "A target of a measured indicator has no value; add one.",
        "8.9.2": "A target of a measured indicator is not a number; write the number only.",
        "8.9.3": "A target of a qualitative indicator must not have a value; say it in words in its comment.",
        "8.10.1": "An actual of a measured indicator has no value; add one.",
        "8.10.2": "An actual of a measured indicator is not a number; write the number only.",
        "8.10.3": "An actual of a qualitative indicator must not have a value; say it in words in its comment.",
        "8.11.1": "References are given both for the result and for its indicator; give them in one place only.",
        "11.1.1": "The date of the last update is in the future; correct it.",
        "11.1.2": "The planned start is after the planned end; correct one of the two dates.",
        "11.1.3": "The actual start is after the actual end; correct one of the two dates.",
        "11.1.4": "The actual start is in the future; give it as planned (type 1) until it has come.",
        "11.1.5": "The actual end is in the future; give it as planned (type 3) until it has come.",
        "11.2.1": "The date of a transaction is in the future; transactions report what has happened, plans are planned disbursements.",
        "11.2.2": "The value date of a transaction is in the future; correct it.",
        "11.3.1": "The value date of a budget line is outside the period of its budget; correct one of the dates.",
        "11.4.1": "The date of the last update is in the future; correct it.",
        "12.1.1": "A percentage for a country or region is not between 0 and 100; correct it.",
        "12.1.2": "A percentage for a country or region is below 0; correct it.",
        "12.2.1": "A percentage for capital spend or a budget item is not between 0 and 100; correct it.",
        "12.2.2": "A percentage for capital spend or a budget item is below 0; correct it.",
        "12.3.1": "A percentage for a sector is not between 0 and 100; correct it.",
        "12.3.2": "A percentage for a sector is below 0; correct it.",
        "102.1.1": "No sector of the OECD five-digit vocabulary (1) is given; add one so that data can be compared.",
        "107.1.1": "No default aid type of the OECD vocabulary (1) is given; add one so that data can be compared.",
        "107.1.2": "More than one default aid type of the same vocabulary is given; keep one.",
        "107.2.1": "No aid type of the OECD vocabulary (1) is given for the transactions; add one so that data can be compared.",
        "107.2.2": "More than one aid type of the same vocabulary is given for a transaction; keep one.",
    }
)


def of_rule(rule_id: str) -> str:
    """The message of a ruleset rule. KeyError if nobody has written one: a new rule needs words."""
    return RULES[rule_id]


def of_codelist(rule: CodelistRule, element: str) -> str:
    """The message of a codelist rule."""
    what = f"The text of {element}" if rule.attribute is None else f"The {label(rule.attribute)} of {element}"
    when = f" when the vocabulary is {rule.vocabulary}" if rule.vocabulary else ""
    return f"{what} must be a code of the {rule.codelist} codelist{when}; use one of its codes."


def label(attribute: str) -> str:
    """An attribute's name as people write it."""
    return attribute.replace(f"{{{XML_NAMESPACE}}}", "xml:")
