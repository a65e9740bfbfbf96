"""What a browser says of itself, in the few words by which people know their devices."""

from __future__ import annotations

# In this order: each also names those below it.
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def device_name(user_agent: str | None) -> str:
    """As "Firefox, Windows"; what is not known is told as it came, cut short."""
    agent = user_agent or ""
    known = [
        next((name for mark, name in table if mark in agent), None) for table in (BROWSERS, SYSTEMS)
    ]
    return ", ".join(name for name in known if name) or agent[:60] or "–"
