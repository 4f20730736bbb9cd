"""Charts drawn on the server as SVG: line, bars, stacked bars, sparkline, histogram.

Each chart is a figure with a title that states the finding, a description, and the same numbers as a table. Colours come from
classes of the stylesheet (the Content-Security-Policy allows no inline style), so light and dark follow the reader's preference.
Bars start at zero. Drawing is plain string work: a chart costs well under a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from zlib import crc32

from markupsafe import Markup, escape

from . import formats
from .cells import Cell
from .tables import Column

WIDTH, HEIGHT = 640, 240
LEFT, RIGHT, TOP, BOTTOM = 56, 72, 12, 28


@dataclass(frozen=True)
class Series:
    """One line or one layer of bars; `values` are in the order of the chart's labels, None leaves a gap."""

    name: str
    values: Sequence[float | None]


@dataclass(frozen=True)
class Chart:
    """A drawn chart with what belongs to it; `csv` is the address of the numbers, empty when the page has none."""

    title: str
    description: str
    svg: Markup
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    legend: Sequence[str] = ()
    csv: str = ""


def short(value: float) -> str:
    """A number for an axis: `1,200`, `35 k`, `1.2 M`."""
    for limit, unit in ((1e12, "T"), (1e9, "bn"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            scaled = value / (1000 if unit == "k" else limit)
            return f"{scaled:,.1f}".removesuffix(".0") + f" {unit}"
    return f"{value:,.2f}".rstrip("0").rstrip(".")


def ticks(top: float, wanted: int = 4) -> list[float]:
    """Round steps from zero to at least `top`: 0, 25, 50, 75, 100."""
    if top <= 0:
        return [0.0, 1.0]
    raw = top / wanted
    power = 10 ** floor(log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999999)
    if float(top).is_integer() and step < 1:
        step = 1
    return [step * index for index in range(ceil(top / step - 1e-9) + 1)]


def _frame(title: str, description: str, body: str, *, width: int = WIDTH, height: int = HEIGHT, kind: str) -> Markup:
    name = f"chart-{crc32((kind + title + description).encode()):08x}"  # the same chart has the same name: pages stay comparable
    return Markup(  # noqa: S704 - every text in `body`, title and description has been escaped
        f'<svg class="chart {kind}" viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(description)}</desc>{body}</svg>'
    )


def _axis(steps: Sequence[float]) -> str:
    parts = []
    for value in steps:
        y = _y(value, steps[-1])
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{escape(short(value))}</text>'
        )
    return "".join(parts)


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / top


def _labels(labels: Sequence[str], xs: Sequence[float], most: int = 6) -> str:
    """As many labels as fit, always the first and the last."""
    if not labels:
        return ""
    step = max(1, ceil((len(labels) - 1) / (most - 1))) if len(labels) > 1 else 1
    shown = set(range(0, len(labels), step))
    last = len(labels) - 1
    shown = {index for index in shown if index == last or last - index >= step * 0.6} | {last}
    return "".join(
        f'<text class="tick" x="{xs[index]:.1f}" y="{HEIGHT - 8}" text-anchor="{"start" if index == 0 and len(labels) > 1 else "middle"}">'
        f"{escape(labels[index])}</text>"
        for index in sorted(shown)
    )


def _table(labels: Sequence[str], series: Sequence[Series], axis: str) -> tuple[list[Column], list[list[Cell]]]:
    columns = [Column("label", axis)] + [Column(f"s{index}", line.name, numeric=True) for index, line in enumerate(series)]
    rows: list[list[Cell]] = [[label, *(_whole(line.values[row]) for line in series)] for row, label in enumerate(labels)]
    return columns, rows


def _whole(value: float | None) -> float | int | None:
    return int(value) if value is not None and float(value).is_integer() else value


def _describe(labels: Sequence[str], series: Sequence[Series]) -> str:
    if not labels:
        return "No values yet."
    said = []
    for line in series:
        known = [(label, value) for label, value in zip(labels, line.values, strict=True) if value is not None]
        if known:
            (first, start), (last, end) = known[0], known[-1]
            said.append(f"{line.name}: {_say(start)} ({first}) to {_say(end)} ({last})")
    return "; ".join(said) + "." if said else "No values yet."


def _say(value: float) -> str:
    whole = _whole(value)
    return formats.number(whole if whole is not None else value)


def line(title: str, labels: Sequence[str], series: Sequence[Series], *, axis: str = "Date", csv: str = "") -> Chart:
    """Lines over ordered labels, the last value of each written at its end. The scale starts at zero."""
    description = _describe(labels, series)
    top = max((value for one in series for value in one.values if value is not None), default=0.0)
    steps = ticks(top)
    span = WIDTH - LEFT - RIGHT
    xs = [LEFT + (span * index / (len(labels) - 1) if len(labels) > 1 else span / 2) for index in range(len(labels))]
    body = [_axis(steps), _labels(labels, xs)]
    for number, one in enumerate(series, 1):
        runs: list[list[str]] = [[]]
        last: tuple[float, float, float] | None = None
        for x, value in zip(xs, one.values, strict=True):
            if value is None:
                runs.append([])
                continue
            last = (x, _y(value, steps[-1]), value)
            runs[-1].append(f"{x:.1f},{last[1]:.1f}")
        body.extend(f'<polyline class="line c{number}" points="{" ".join(run)}"/>' for run in runs if len(run) > 1)
        body.extend(
            f'<circle class="dot c{number}" cx="{run[0].split(",")[0]}" cy="{run[0].split(",")[1]}" r="3"/>'
            for run in runs
            if len(run) == 1
        )
        if last:
            body.append(
                f'<circle class="dot c{number}" cx="{last[0]:.1f}" cy="{last[1]:.1f}" r="3.5"/>'
                f'<text class="value" x="{last[0] + 8:.1f}" y="{last[1] + 4:.1f}">{escape(short(last[2]))}</text>'
            )
    columns, rows = _table(labels, series, axis)
    legend = [one.name for one in series] if len(series) > 1 else []
    return Chart(title, description, _frame(title, description, "".join(body), kind="lines"), columns, rows, legend, csv)


def bars(title: str, labels: Sequence[str], values: Sequence[float], *, axis: str = "", unit: str = "Number", csv: str = "") -> Chart:
    """Horizontal bars, one per label: the best form for names of any length."""
    return stacked(title, labels, [Series(unit, values)], axis=axis, csv=csv)


def stacked(title: str, labels: Sequence[str], series: Sequence[Series], *, axis: str = "", csv: str = "") -> Chart:
    """Horizontal bars made of layers; the sum is written at the end of each bar."""
    row_height, room = 46, 84  # each name stands above its bar, so that it is never cut, and the sum has room at its end
    height = row_height * max(1, len(labels))
    totals = [sum(one.values[row] or 0 for one in series) for row in range(len(labels))]
    top = max(totals, default=0) or 1
    span = WIDTH - room
    body = []
    for row, label in enumerate(labels):
        y, x = row * row_height, 0.0
        body.append(f'<text class="name" x="0" y="{y + 17}">{escape(label)}</text>')
        for number, one in enumerate(series, 1):
            width = span * (one.values[row] or 0) / top
            if width > 0:
                body.append(
                    f'<rect class="bar c{number}" x="{x:.1f}" y="{y + 23}" width="{max(width, 1.5):.1f}" height="16">'
                    f"<title>{escape(label)}, {escape(one.name)}: {escape(_say(one.values[row] or 0))}</title></rect>"
                )
            x += width
        body.append(f'<text class="value" x="{x + 8:.1f}" y="{y + 36}">{escape(_say(totals[row]))}</text>')
    columns, rows = _table(labels, series, axis)
    highest = max(zip(totals, labels, strict=True), default=None)
    description = f"{len(labels)} bars; the longest is {highest[1]} with {_say(highest[0])}." if highest else "No values yet."
    legend = [one.name for one in series] if len(series) > 1 else []
    return Chart(title, description, _frame(title, description, "".join(body), height=height, kind="bars"), columns, rows, legend, csv)


def histogram(
    title: str, edges: Sequence[str], counts: Sequence[int], *, axis: str = "Range", unit: str = "Number", csv: str = ""
) -> Chart:
    """Upright touching bars for the classes of one measure; `edges` names each class."""
    steps = ticks(max(counts, default=0))
    span = WIDTH - LEFT - RIGHT
    width = span / max(1, len(counts))
    body = [_axis(steps)]
    for index, (edge, value) in enumerate(zip(edges, counts, strict=True)):
        y = _y(value, steps[-1])
        body.append(
            f'<rect class="bar c1" x="{LEFT + index * width + 1:.1f}" y="{y:.1f}" width="{width - 2:.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}">'
            f"<title>{escape(edge)}: {escape(_say(value))}</title></rect>"
        )
    xs = [LEFT + (index + 0.5) * width for index in range(len(counts))]
    body.append(_labels(edges, xs, 8).replace('text-anchor="start"', 'text-anchor="middle"'))
    series = [Series(unit, list(counts))]
    columns, rows = _table(edges, series, axis)
    highest = max(zip(counts, edges, strict=True), default=None)
    description = f"{len(counts)} classes; the largest is {highest[1]} with {_say(highest[0])}." if highest else "No values yet."
    return Chart(title, description, _frame(title, description, "".join(body), kind="histogram"), columns, rows, (), csv)


def sparkline(title: str, values: Sequence[float | None]) -> Markup:
    """A word-sized line for use inside tables and figures; it says first and last value to screen readers."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return Markup("")
    top, bottom = max(known), min(known)
    spread = (top - bottom) or 1
    points = [
        f"{2 + 96 * index / (len(values) - 1):.1f},{20 - 16 * (value - bottom) / spread:.1f}"
        for index, value in enumerate(values)
        if value is not None
    ]
    x, y = points[-1].split(",")
    body = f'<polyline class="line c1" points="{" ".join(points)}"/><circle class="dot c1" cx="{x}" cy="{y}" r="2.5"/>'
    return _frame(title, f"From {_say(known[0])} to {_say(known[-1])}.", body, width=104, height=24, kind="spark")
