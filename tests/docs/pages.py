"""The pages of the documentation, and what is in them."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """name: path below the root."""

    name: str
    text: str

    @property
    def prose(self) -> str:
        """Without fenced and indented code."""
        return re.sub(r"^    .*$", "", _FENCE.sub("", self.text), flags=re.MULTILINE)

    def examples(self, language: str) -> list[str]:
        return [code for tag, code in _FENCE.findall(self.text) if tag == language]

    def links(self) -> list[str]:
        return _LINK.findall(self.prose)

    def anchors(self) -> set[str]:
        """As code hosts make them: lower case, blanks to hyphens, punctuation gone."""
        return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in _HEADING.findall(self.prose)}


def pages() -> list[Page]:
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]
    return [Page(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in sorted(paths)]
