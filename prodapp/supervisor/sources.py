"""Noticing that the sources have changed."""

from __future__ import annotations

import os
from pathlib import Path

FOLDERS = ("prodapp", "migrations")
SUFFIXES = (".py", ".html", ".mo", ".css", ".js")


class Sources:
    """The times of the source files below ``root``, looked at again on request."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen = self._look()

    def changed_file(self) -> str | None:
        """One file that was changed, made or removed since the last call, if there is any."""
        now = self._look()
        before, self._seen = self._seen, now
        changed = {name for name, _time in before.items() ^ now.items()}
        return min(changed, default=None)

    def _look(self) -> dict[str, int]:
        times = {}
        for top in FOLDERS:
            for folder, _folders, names in os.walk(self._root / top):
                for name in names:
                    if name.endswith(SUFFIXES):
                        path = Path(folder, name)
                        try:
                            times[str(path.relative_to(self._root))] = path.stat().st_mtime_ns
                        except FileNotFoundError:  # an editor's temporary file
                            continue
        return times
