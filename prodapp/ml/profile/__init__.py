"""What the columns and rows of a table are, suggested with reasons for a person to confirm."""

from typing import TYPE_CHECKING

from prodapp.lazily import attributes_of

if TYPE_CHECKING:
    from prodapp.ml.profile.associations import Group
    from prodapp.ml.profile.leaks import Suspect, suspect_leaks
    from prodapp.ml.profile.order import Order, find_order
    from prodapp.ml.profile.profile import ColumnProfile, Profile, profile_table
else:
    __getattr__ = attributes_of("prodapp.ml.profile.profile")

__all__ = [
    "ColumnProfile",
    "Group",
    "Order",
    "Profile",
    "Suspect",
    "find_order",
    "profile_table",
    "suspect_leaks",
]
