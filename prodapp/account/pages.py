"""All pages of one's own account: importing this makes the blueprint whole."""

from prodapp.account import identities, personal, second_factor
from prodapp.account.views import bp

__all__ = ["bp", "identities", "personal", "second_factor"]
