"""A machine's table put together: rows left out, files appended, laboratory results joined, and
a new file compared with what is remembered of the earlier ones.
"""

from prodapp.ml.assembly.appending import Appended, append_rows
from prodapp.ml.assembly.exclusion import (
    OPERATORS,
    Condition,
    Excluded,
    Exclusion,
    exclude,
    excluded_rows,
    exclusion_from,
)
from prodapp.ml.assembly.joining import DIRECTIONS, Joined, join_by_time
from prodapp.ml.assembly.memory import Difference, Remembered, compare, remember, remembered_from

__all__ = [
    "DIRECTIONS",
    "OPERATORS",
    "Appended",
    "Condition",
    "Difference",
    "Excluded",
    "Exclusion",
    "Joined",
    "Remembered",
    "append_rows",
    "compare",
    "exclude",
    "excluded_rows",
    "exclusion_from",
    "join_by_time",
    "remember",
    "remembered_from",
]
