"""Pictures as files: SVG that needs nothing else, and PNG of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from flask import render_template

from prodapp.storage import storage
from prodapp.versions.pictures import Picture

_PIXELS_PER_INCH: Final = 192.0
_PAGE: Final = '#set page(width: auto, height: auto, margin: 0pt)\n#image("picture.svg")\n'


def svg_of(picture: Picture) -> str:
    """The picture as an SVG document, in the colours of paper."""
    return render_template("versions/picture.svg", picture=picture, is_alone=True)


def png_of(picture: Picture) -> bytes:
    """The picture as a PNG on white."""
    # Loads 30 MB of compiled code: only where it is needed.
    import typst

    with tempfile.TemporaryDirectory(dir=storage().scratch) as name:
        folder = Path(name)
        (folder / "picture.svg").write_text(svg_of(picture), "utf-8")
        (folder / "page.typ").write_text(_PAGE, "utf-8")
        drawn: bytes = typst.compile(
            str(folder / "page.typ"), format="png", ppi=_PIXELS_PER_INCH, ignore_system_fonts=True
        )
    return drawn
