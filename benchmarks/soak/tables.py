"""Small production tables as people bring them: known truth, changing size and dialect."""

from __future__ import annotations

import random

TARGETS = ("yield", "scrap")


def make_table(rng: random.Random, *, n_rows: tuple[int, int] = (80, 600)) -> tuple[str, bytes]:
    """Name and content of a CSV: ``heat`` raises the yield, ``speed`` lowers it."""
    is_continental = rng.random() < 0.4
    delimiter, decimal = (";", ",") if is_continental else (",", ".")
    names = ("heat", "speed", "pressure", "humidity", "shift", "supplier", "noise", *TARGETS)
    lines = [delimiter.join(names)]
    for _ in range(rng.randint(*n_rows)):
        heat, speed, pressure, humidity, noise = (rng.gauss(0, 1) for _ in range(5))
        shift, supplier = rng.choice(("day", "night")), rng.choice(("A", "B", "C"))
        product = 50 + 5 * heat - 2 * speed + 0.4 * (shift == "day") + rng.gauss(0, 0.5)
        scrap = 3 + 0.5 * speed**2 + 0.2 * pressure + rng.gauss(0, 0.2)
        numbers = [f"{value:.4f}" for value in (heat, speed, pressure, humidity)]
        row = [*numbers, shift, supplier, f"{noise:.4f}", f"{product:.4f}", f"{scrap:.4f}"]
        lines.append(delimiter.join(cell.replace(".", decimal) for cell in row))
    return f"batch {rng.randrange(10**6):06}.csv", ("\n".join(lines) + "\n").encode()


def broken_table(rng: random.Random) -> tuple[str, bytes]:
    """A file that is refused at once."""
    return rng.choice((("empty.csv", b""), ("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(500))))
