"""The drawing of one variable over sister machines: geometry only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from prodapp.charts import Tick, nice_ticks
from prodapp.ranking.fleet import Sister

#: Machines that are drawn; the table below holds all.
MAX_DRAWN: Final = 20
_ROW: Final = 30.0
_LONGEST: Final = 20


@dataclass(frozen=True)
class Bar:
    """One machine: its name, its height in the drawing, and from where to where its interval
    reaches; ``tone`` is up, down or mixed."""

    name: str
    y: float
    low: float
    middle: float
    high: float
    tone: str
    is_real: bool


@dataclass(frozen=True)
class FleetPlot:
    """An interval a machine, of the share of the target's variance that the variable alone
    explains."""

    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]
    bottom: float
    height: float
    width: float = 560.0
    left: float = 170.0
    right: float = 540.0
    top: float = 8.0


def fleet_plot(sisters: Sequence[Sister]) -> FleetPlot | None:
    """Draw the machines on which it was judged; None where there are not two."""
    drawn = [
        (sister, trust.low, trust.gain, trust.high)
        for sister in sisters
        if sister.explains and (trust := sister.trust) and None not in (trust.low, trust.high)
    ][:MAX_DRAWN]
    if len(drawn) < 2:
        return None
    highest = max(high or 0.0 for _, _, _, high in drawn)
    ticks = nice_ticks(0.0, max(highest, 0.01))
    frame = FleetPlot((), (), 0.0, 0.0)
    bottom = frame.top + _ROW * len(drawn)

    def x_of(share: float | None) -> float:
        inside = min(max(share or 0.0, 0.0), ticks[-1])
        return round(frame.left + inside / ticks[-1] * (frame.right - frame.left), 1)

    tones = {"increases": "up", "decreases": "down"}
    bars = [
        Bar(
            name=_shortened(sister.machine.name),
            y=frame.top + _ROW * (place + 0.5),
            low=x_of(low),
            middle=x_of(gain),
            high=x_of(high),
            tone=tones.get(sister.direction, "mixed"),
            is_real=sister.is_real,
        )
        for place, (sister, low, gain, high) in enumerate(drawn)
    ]
    return FleetPlot(
        tuple(bars), tuple(Tick(x_of(value), value) for value in ticks), bottom, bottom + 34
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
