"""What marshmallow says of a wrong field, as templates that the catalogues can translate."""

from __future__ import annotations

import re
from typing import Final

from prodapp.exceptions import FieldError, N_

#: Said as they stand.
_PLAIN: Final = (
    N_("Missing data for required field."),
    N_("Unknown field."),
    N_("Field may not be null."),
    N_("Not a valid string."),
    N_("Not a valid integer."),
    N_("Not a valid number."),
    N_("Not a valid boolean."),
    N_("Not a valid date."),
    N_("Not a valid datetime."),
    N_("Not a valid UUID."),
    N_("Not a valid list."),
    N_("Not a valid mapping type."),
    N_("Invalid input type."),
    N_("Invalid type."),
    N_("Special numeric values (nan or infinity) are not permitted."),
    N_("String does not match expected pattern."),
)
#: Said with the bounds of the field in them.
_WITH_BOUNDS: Final = (
    N_("Length must be between %(low)s and %(high)s."),
    N_("Length must be %(length)s."),
    N_("Shorter than minimum length %(low)s."),
    N_("Longer than maximum length %(high)s."),
    N_("Must be greater than or equal to %(low)s and less than or equal to %(high)s."),
    N_("Must be greater than or equal to %(low)s and less than %(high)s."),
    N_("Must be greater than %(low)s and less than or equal to %(high)s."),
    N_("Must be greater than %(low)s and less than %(high)s."),
    N_("Must be greater than or equal to %(low)s."),
    N_("Must be greater than %(low)s."),
    N_("Must be less than or equal to %(high)s."),
    N_("Must be less than %(high)s."),
    N_("Must be one of: %(choices)s."),
)


def _pattern(template: str) -> re.Pattern[str]:
    literal = re.split(r"%\((\w+)\)s", template)
    parts = (
        f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(literal)
    )
    return re.compile("".join(parts), re.DOTALL)


_PATTERNS: Final = tuple((template, _pattern(template)) for template in _WITH_BOUNDS)


def field_error(pointer: str, message: str) -> FieldError:
    """``message`` about the field at ``pointer``, taken apart where it is one of marshmallow's."""
    for template, pattern in _PATTERNS:
        found = pattern.fullmatch(message)
        if found is not None:
            return FieldError(pointer, template, found.groupdict())
    return FieldError(pointer, message)
