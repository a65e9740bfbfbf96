"""Random tables, dialects and damage for minutes: no crash, and nothing that takes 10 s.

``make fuzz`` runs it (``FUZZ_ARGS="--minutes 60"``); a file that fails is kept and named with the
seed that makes it again. Each try takes a file of the corpus or a random table, spoils it, and
reads it in a process that is ended when it hangs.
"""

from __future__ import annotations

import argparse
import faulthandler
import gzip
import random
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

from prodapp.exceptions import DataRefused
from prodapp.ml.intake import Limits, preview_file, read_table
from tests.corpus import damage, dates, dialects, encodings, formats, headings, missing, numbers

MAX_SECONDS = 10.0
_MODULES = (encodings, dialects, numbers, missing, headings, dates, formats, damage)
_SMALL = 200_000
_TOKENS = (
    *(
        b";",
        b",",
        b"\t",
        b"|",
        b'"',
        b"'",
        b"\n",
        b"\r\n",
        b"\r",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
    ),
    *(
        b"sep=;\n",
        b"-999",
        b"1.234,56",
        b"NaN",
        b"R$ ",
        b" ml",
        b"%",
        b"#",
        b"\xc3",
        b"=",
        b"1e999",
    ),
    *(b"2024-01-01", b"31/02/2024", b"Total;", b"<0,05", b"PK\x03\x04", b"\x1f\x8b", b"PAR1"),
)


def random_table(rng: random.Random) -> bytes:
    """A table of random cells in a random dialect."""
    delimiter, decimal = rng.choice(";,\t|^"), rng.choice(".,")
    end = rng.choice(("\n", "\r\n", "\r"))
    n_columns, n_rows = rng.randint(1, 12), rng.randint(0, 60)

    def cell() -> str:
        kind = rng.random()
        if kind < 0.6:
            return f"{rng.uniform(-1e4, 1e4):.{rng.randint(0, 4)}f}".replace(".", decimal)
        if kind < 0.7:
            return f"{rng.randint(1, 31):02}/{rng.randint(1, 12):02}/2024"
        if kind < 0.8:
            return rng.choice(("", "NaN", "-", "?", "Bad", "-999", "#N/D"))
        return "".join(rng.choices("abcçé ,;'\"\n1%", k=rng.randint(0, 8)))

    rows = [delimiter.join(cell() for _ in range(n_columns)) for _ in range(n_rows + 1)]
    encoding = rng.choice(("utf-8", "cp1252", "cp850", "utf-16", "utf-16-le", "utf-32"))
    return end.join(rows).encode(encoding, "replace")


def spoiled(content: bytes, rng: random.Random) -> bytes:
    """``content`` cut, doubled, spliced or sown with awkward bytes, a few times over."""
    data = bytearray(content[:_SMALL])
    for _ in range(rng.randint(0, 6)):
        place = rng.randint(0, len(data))
        what = rng.random()
        if what < 0.4:
            data[place:place] = rng.choice(_TOKENS) * rng.randint(1, 4)
        elif what < 0.6:
            del data[place : place + rng.randint(1, 40)]
        elif what < 0.75:
            data[place:place] = rng.randbytes(rng.randint(1, 8))
        elif what < 0.85:
            data[place:] = b""
        elif what < 0.95:
            data += data[place : place + 2000]
        else:
            data = bytearray(gzip.compress(bytes(data)))
    return bytes(data)


def try_one(seed: int, pool: list[bytes], path: Path) -> tuple[str, float]:
    """Preview and read one file; how it ended, and the seconds that took."""
    rng = random.Random(seed)
    content = random_table(rng) if rng.random() < 0.4 else rng.choice(pool)
    path.write_bytes(spoiled(content, rng))
    limits = Limits(max_unpacked_bytes=64 << 20)
    start = time.perf_counter()
    faulthandler.dump_traceback_later(3 * MAX_SECONDS, exit=True)
    try:
        with path.open("rb") as stream:
            preview_file(stream, filename="fuzz.csv", limits=limits)
        read_table(path, filename="fuzz.csv", limits=limits)
    except DataRefused as error:
        error.message % error.params
        return error.error_code, time.perf_counter() - start
    finally:
        faulthandler.cancel_dump_traceback_later()
    return "read", time.perf_counter() - start


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=None, help="try this one only")
    arguments = parser.parse_args()
    pool = [case.bytes() for module in _MODULES for case in module.CASES]
    ends: Counter[str] = Counter()
    slowest, failed = (0.0, 0), 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "upload"
        first = random.SystemRandom().randrange(1 << 40)
        seed, until = first, time.monotonic() + 60 * arguments.minutes
        while time.monotonic() < until:
            seed = arguments.seed if arguments.seed is not None else seed + 1
            try:
                end, seconds = try_one(seed, pool, path)
            except Exception:
                failed += 1
                print(f"seed {seed} failed:\n{traceback.format_exc()}", flush=True)  # noqa: T201
            else:
                ends[end] += 1
                slowest = max(slowest, (seconds, seed))
                if seconds > MAX_SECONDS:
                    failed += 1
                    print(f"seed {seed} took {seconds:.1f} s", flush=True)  # noqa: T201
            if arguments.seed is not None or failed >= 20:
                break
    counted = ", ".join(f"{end} {count}" for end, count in ends.most_common())
    print(f"{ends.total()} files, {failed} failed; slowest {slowest}; {counted}")  # noqa: T201
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
