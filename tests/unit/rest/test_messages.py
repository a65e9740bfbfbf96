"""What marshmallow's validators say reaches people in their language, bounds included."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from marshmallow import ValidationError, validate

from prodapp.formatting import sentence
from prodapp.rest.messages import field_error

SAID = [
    (validate.Length(min=1, max=200), "", "O tamanho deve ficar entre 1 e 200."),
    (validate.Length(min=3), "a", "Mais curto que o mínimo de 3."),
    (validate.Length(max=3), "abcd", "Mais longo que o máximo de 3."),
    (validate.Length(equal=6), "a", "O tamanho deve ser 6."),
    (validate.Range(min=1), 0, "Deve ser maior ou igual a 1."),
    (validate.Range(min=1, max=5), 9, "Deve ser maior ou igual a 1 e menor ou igual a 5."),
    (
        validate.Range(min=0, max=1, min_inclusive=False, max_inclusive=False),
        1,
        "Deve ser maior que 0 e menor que 1.",
    ),
    (validate.Range(max=5, max_inclusive=False), 5, "Deve ser menor que 5."),
    (validate.OneOf(["a", "b"]), "c", "Deve ser um destes: a, b."),
    (validate.Regexp("x+"), "y", "O texto não tem a forma esperada."),
]


@pytest.mark.parametrize(("validator", "value", "words"), SAID)
def test_a_validator_is_heard_in_portuguese(
    app: Flask, validator: validate.Validator, value: Any, words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        validator(value)
    told = field_error("/x", str(caught.value.messages[0]))
    with app.test_request_context(headers={"Accept-Language": "pt-BR"}):
        assert sentence(told.message, told.params) == words
    assert told.message % told.params == caught.value.messages[0]


def test_words_of_our_own_stay_as_they_are() -> None:
    assert field_error("/x", "100% wrong (%s)").message == "100% wrong (%s)"
