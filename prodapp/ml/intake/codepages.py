"""One-byte encodings told apart by the letters that they make of a file's bytes.

Western offices write cp1252, their consoles and older programs cp850; the same byte is "ç" in
one and "‡" in the other. Each is scored by the share of the bytes above ASCII that become letters
and signs which western languages and units use.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from prodapp.exceptions import N_

#: Letters of Portuguese, Spanish, French, German and Italian, and the signs of units.
_COMMON: Final = frozenset("áàâãäçéèêëíìîïñóòôõöúùûüßÁÀÂÃÄÇÉÊÍÓÔÕÖÚÜ°ºª²³µ±–—“”’‘…€£§½×·")
_RARE: Final = frozenset("åæøœÅÆØŒÈËÌÎÏÒÙÛÑÝýÿ¿¡¼¾¹«»®©™‰†•\u00a0")
#: The habit of spreadsheets wins unless another encoding explains clearly more.
_CLEAR_LEAD: Final = 0.1


def choose_code_page(high_bytes: bytes) -> tuple[str, str]:
    """The likeliest one-byte encoding of these bytes (all ≥ 0x80), and the reason as a template.

    Latin-1 has a character for every byte, so it is what remains when the others lack one.
    """
    counts = Counter(high_bytes)
    usual = _score(counts, "cp1252")
    if _score(counts, "cp850") > max(usual, 0.5) + _CLEAR_LEAD:
        return "cp850", N_("Only read so are the bytes that are not UTF-8 letters.")
    if usual < 0:
        return "latin-1", N_("Some bytes are in neither UTF-8 nor Windows-1252.")
    return "cp1252", N_("Some bytes are not UTF-8, so Windows-1252 was taken.")


def _score(counts: Counter[int], encoding: str) -> float:
    """0–1, or −1 when a byte has no character in this encoding."""
    total = 0.0
    for byte, count in counts.items():
        try:
            letter = bytes([byte]).decode(encoding)
        except UnicodeDecodeError:
            return -1.0
        total += count * (1.0 if letter in _COMMON else 0.3 if letter in _RARE else 0.0)
    return total / max(1, counts.total())
