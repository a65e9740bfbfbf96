"""How one value of the environment is read: by the type that its setting declares.

A bad value stops the start with a message that names the variable, what it held and what it takes.
Nothing here reads the environment itself: ``config`` hands it over.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from prodapp.exceptions import ConfigurationError

Environment = Mapping[str, str]
MIN_SIGNING_BYTES = 24


def signing_secret(env: Environment, name: str) -> str | None:
    """A secret of the Standard Webhooks scheme: ``whsec_`` and at least 24 bytes in base64."""
    value = (env.get(name) or "").strip()
    if not value:
        return None
    try:
        key = base64.b64decode(value.removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    if len(key) < MIN_SIGNING_BYTES or not value.startswith("whsec_"):
        raise ConfigurationError(
            f"{name}: use whsec_ and at least {MIN_SIGNING_BYTES} random bytes in base64."
        )
    return value


def with_files(env: Environment, names: tuple[str, ...]) -> dict[str, str]:
    """``env``, with each of ``names`` that ``NAME_FILE`` names a file for read from there: where
    secret stores and containers put what must not stand in an environment."""
    read = dict(env)
    for name in names:
        path = (env.get(f"{name}_FILE") or "").strip()
        if not path:
            continue
        if env.get(name):
            raise ConfigurationError(f"{name} and {name}_FILE are both set: leave one of them out.")
        try:
            read[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it holds no text"
            raise ConfigurationError(f"{name}_FILE={path!r}: {reason}.") from error
    return read


def choice(
    env: Environment,
    name: str,
    allowed: tuple[str, ...],
    default: str,
    *,
    fold: Callable[[str], str] = str.lower,
) -> str:
    """One of ``allowed``, or ``default`` where nothing is set."""
    value = fold((env.get(name) or default).strip())
    if value not in allowed and value != default:
        raise ConfigurationError(f"{name}={env[name]!r}: use one of {', '.join(allowed)}.")
    return value


def integer(env: Environment, name: str, default: int, *, low: int, high: int) -> int:
    """A whole number within bounds."""
    text = (env.get(name) or "").strip()
    if not text:
        return default
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(high))
    if not is_number or not low <= int(text) <= high:
        raise ConfigurationError(f"{name}={text[:40]!r}: use a whole number from {low} to {high}.")
    return int(text)


def words(env: Environment, name: str) -> tuple[str, ...]:
    """Words, parted by spaces or commas."""
    return tuple(word for word in (env.get(name) or "").replace(",", " ").split() if word)


def folders(env: Environment, name: str) -> tuple[Path, ...]:
    """Folders by their whole paths, parted as the system parts them (by colons)."""
    found = tuple(Path(text) for text in (env.get(name) or "").split(os.pathsep) if text.strip())
    for folder in found:
        if not folder.is_absolute() or folder == Path(folder.anchor):
            raise ConfigurationError(f"{name}: {str(folder)!r} is not a folder such as /srv/plant.")
    return found


def url(env: Environment, name: str, schemes: tuple[str, ...]) -> str | None:
    """An address of one of these schemes, ``None`` where none is set."""
    value = (env.get(name) or "").strip()
    if not value:
        return None
    parts = split(value)
    if (
        parts is None
        or parts.scheme not in schemes
        or (parts.scheme != "unix" and not parts.netloc)
    ):
        # The value itself may hold a password: it is not repeated.
        starts = ", ".join(f"{scheme}://" for scheme in schemes)
        raise ConfigurationError(f"{name}: use an address that starts with one of {starts}.")
    return value


def split(address: str) -> SplitResult | None:
    """The parts of an address, ``None`` for what is none."""
    try:
        return urlsplit(address)
    except ValueError:  # such as a bracket that is never closed
        return None
