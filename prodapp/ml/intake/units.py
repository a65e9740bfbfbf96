"""Units of measure and currencies as factories write them, for names, unit rows and cells."""

from __future__ import annotations

import re
from typing import Final

CURRENCIES: Final = ("R$", "US$", "U$", "$", "€", "£", "BRL", "USD", "EUR")

_UNITS: Final = (
    *("°C", "ºC", "°F", "ºF", "°", "º", "K", "degC", "deg", "%", "ppm", "ppb", "pH", "‰"),
    *("bar", "barg", "bara", "mbar", "psi", "psig", "Pa", "kPa", "MPa", "hPa", "atm", "mmHg"),
    *("mmH2O", "mmca", "mca", "inHg", "kgf", "kgf/cm2", "kgf/cm²", "N", "kN", "Nm", "N.m", "N/mm2"),
    *("kg", "g", "mg", "µg", "ug", "t", "ton", "tons", "lb", "lbs", "oz", "kt"),
    *("m", "mm", "cm", "km", "µm", "um", "nm", "in", "ft", "m2", "m²", "mm2", "mm²", "cm2"),
    *("l", "L", "ml", "mL", "cl", "hl", "dm3", "m3", "m³", "Nm3", "Nm³", "gal", "cm3", "cm³"),
    *("s", "seg", "sec", "ms", "min", "h", "hr", "hrs", "hora", "horas", "d", "dia", "dias"),
    *("A", "mA", "kA", "V", "mV", "kV", "W", "kW", "MW", "VA", "kVA", "VAr", "kVAr", "kVArh"),
    *("Wh", "kWh", "MWh", "J", "kJ", "MJ", "GJ", "kcal", "cal", "BTU", "cv", "hp"),
    *("Hz", "kHz", "MHz", "rpm", "RPM", "cP", "cSt", "mPas", "mPa.s", "Pa.s", "Ω", "ohm", "dB"),
    *("µS", "uS", "mS", "NTU", "lux", "lx", "mol", "mmol", "g/mol", "un", "pcs", "pç", "pc", "und"),
    *("rev", "pulses", "tCO2", "gpm", "cfm", "scfm", "mesh", "ppt", "°Bx", "Brix", "HRC", "HB"),
)
_ONE: Final = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_COMPOUND: Final = rf"(?:{_ONE})(?:(?:[/·*.]|\^-?\d|²|³)(?:{_ONE})?)*"

#: A unit on its own; RE2 and ``re`` both read it.
UNIT_PATTERN: Final = rf"(?:{_COMPOUND})"
_UNIT_CELL: Final = re.compile(rf"^[\[(]?\s*({UNIT_PATTERN})\s*[\])]?$")
_IN_NAME: Final = re.compile(r"[\[(]\s*([^\[\]()]{1,15}?)\s*[\])]\s*$")
_NO_UNIT: Final = frozenset(("", "-", "--", "n/a", "[-]", "(-)", "adim", "adim."))


def unit_of_cell(cell: str) -> str | None:
    """The unit that a cell consists of, None when it is something else."""
    found = _UNIT_CELL.match(cell)
    return found[1] if found else None


def unit_in_name(name: str) -> str | None:
    """The unit that ends a name in brackets, as in "Pressure (bar)"."""
    found = _IN_NAME.search(name)
    return unit_of_cell(found[1]) if found else None


def is_unit_row(row: list[str]) -> bool:
    """Whether a row of cells names units: most filled cells do, at least two or half of all."""
    filled = [cell for cell in row if cell.lower() not in _NO_UNIT]
    n_units = sum(unit_of_cell(cell) is not None for cell in filled)
    return n_units >= max(1, 0.6 * len(filled)) and (n_units >= 2 or 2 * n_units >= len(row))
