"""What people say of a machine's columns, said when a file is confirmed or for the machine itself
and remembered for its next file.

Kept apart for the features that share it: data sets write it, machines show and change it.
"""

from prodapp.variables.remembered import (
    figures_from,
    remembered_variables,
    settings_from,
    write_figures,
    write_variables,
)
from prodapp.variables.settings import (
    MAX_COLUMNS,
    MAX_LABEL,
    MAX_UNIT,
    ROLES,
    SENSES,
    TARGET,
    ColumnSettings,
    TableSettings,
    check_names,
    merged,
)

__all__ = [
    "MAX_COLUMNS",
    "MAX_LABEL",
    "MAX_UNIT",
    "ROLES",
    "SENSES",
    "TARGET",
    "ColumnSettings",
    "TableSettings",
    "check_names",
    "figures_from",
    "merged",
    "remembered_variables",
    "settings_from",
    "write_figures",
    "write_variables",
]
