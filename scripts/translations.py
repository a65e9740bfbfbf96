"""Extract the words of modules and templates, merge them into the catalogues, compile these.

A development tool, run after words have changed::

    python scripts/translations.py          # extract, merge, compile; prints what is missing
    python scripts/translations.py --check  # change nothing; fail where something would change

Words are marked by ``_``, ``gettext``, ``ngettext`` and ``N_``. Catalogues carry no line numbers
and no dates: a change of code that changes no words changes no catalogue.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "prodapp"
TRANSLATIONS = PACKAGE / "translations"
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}
KEYWORDS: dict[str, tuple[int, ...] | None] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "N_": None,
}


class SteadyCatalog(Catalog):
    """A catalogue whose header tells neither when nor by which version it was written."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]


def extract() -> Catalog:
    """Every marked message of the package, in order of file and line."""
    catalog = Catalog()
    found = extract_from_dir(
        str(PACKAGE), METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",)
    )
    for filename, _line, message, comments, context in found:
        catalog.add(message, None, [(filename, 0)], auto_comments=comments, context=context)
    return catalog


def catalogues() -> list[Path]:
    """The catalogue of each language that there is."""
    return sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


def merged(path: Path, template: Catalog) -> Catalog:
    """The catalogue at ``path`` with the template's messages; what is gone is dropped."""
    locale = path.parent.parent.name
    old = read_po(io.BytesIO(path.read_bytes()), locale=locale) if path.exists() else Catalog()
    catalog = SteadyCatalog(locale=locale, fuzzy=False)
    for message in template:
        if message.id:
            before = old.get(message.id, message.context)
            catalog.add(
                message.id,
                before.string if before else None,
                [(name, None) for name in sorted({name for name, _ in message.locations})],
                flags=message.flags,
                auto_comments=message.auto_comments,
                context=message.context,
            )
    return catalog


def as_po(catalog: Catalog) -> bytes:
    """The catalogue as text."""
    buffer = io.BytesIO()
    write_po(buffer, catalog, width=100, sort_output=True, include_lineno=False, omit_header=False)
    text = buffer.getvalue().decode()
    return text[text.index("msgid") :].encode()  # without the comment above the header


def as_mo(catalog: Catalog) -> bytes:
    """The catalogue as programs read it."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def missing(catalog: Catalog) -> Iterator[Message]:
    """The messages that are not translated, or only in part."""
    for message in catalog:
        strings = message.string if isinstance(message.string, tuple | list) else [message.string]
        if message.id and not all(strings):
            yield message


def main() -> int:
    """Bring every catalogue up to date, or say that one is not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    is_check = parser.parse_args().check
    template = extract()
    status = 0
    for path in catalogues():
        catalog = merged(path, template)
        untranslated = list(missing(catalog))
        for message in untranslated:
            sys.stdout.write(f"{path}: not translated: {message.id!r}\n")
        for file, content in ((path, as_po(catalog)), (path.with_suffix(".mo"), as_mo(catalog))):
            if not file.exists() or file.read_bytes() != content:
                if is_check:
                    sys.stdout.write(f"{file}: out of date; run python scripts/translations.py\n")
                    status = 1
                else:
                    file.write_bytes(content)
        status = status or int(bool(untranslated))
    return status


if __name__ == "__main__":
    raise SystemExit(main())
