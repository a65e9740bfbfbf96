"""What goes into the image: the files that .dockerignore lets through."""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def is_ignored(path: str, rules: str) -> bool:
    """Whether ``rules`` keep ``path`` out; the last rule that fits counts."""
    is_out = False
    parts = path.split("/")
    for line in rules.splitlines():
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        pattern = rule.removeprefix("!")
        names = parts if pattern.startswith("**/") else (path, parts[0])
        if any(fnmatch.fnmatch(name, pattern.removeprefix("**/")) for name in names):
            is_out = not rule.startswith("!")
    return is_out


def context(root: Path = ROOT) -> Iterator[Path]:
    """The files below ``root`` that are let through, as paths relative to it."""
    rules = (root / ".dockerignore").read_text(encoding="utf-8")
    for top in sorted(root.iterdir()):
        if is_ignored(top.name, rules):
            continue
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            name = path.relative_to(root)
            if path.is_file() and not is_ignored(name.as_posix(), rules):
                yield name


def copy_context(target: Path, root: Path = ROOT) -> None:
    """Put these files into the folder ``target``."""
    for name in context(root):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target / name)
