from __future__ import annotations

import io
from datetime import date, timedelta

from flask import Flask

from prodapp.caller import Caller
from prodapp.datasets import drafts
from prodapp.datasets import service as datasets
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import db
from prodapp.ml.choice import chosen_features, left_out
from prodapp.ml.specification import Specification
from prodapp.models import Dataset
from prodapp.training.columns import columns_of
from prodapp.variables import ColumnSettings, TableSettings
from tests.factories import make_csv, make_machine


def confirmed(caller: Caller, content: bytes, **roles: str) -> Dataset:
    dataset = datasets.register_dataset(
        caller,
        machine_id=make_machine(caller).id,
        source=io.BytesIO(content),
        filename="x.csv",
        is_draft=True,
    )
    settings = TableSettings(tuple(ColumnSettings(n, role=r) for n, r in roles.items()))
    drafts.confirm(caller, dataset.id, settings=settings)
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    return dataset


def test_roles_of_a_person_decide_what_enters_a_model_by_default(
    any_app: Flask, caller: Caller
) -> None:
    dataset = confirmed(caller, make_csv(), noise="consequence", heat="lever", shift="group")
    columns = columns_of(dataset)
    spec = Specification(target="yield", validation="shuffled")
    assert chosen_features(spec, columns) == ("heat", "speed")
    reasons = dict(left_out(spec, columns))
    assert reasons["noise"] == "It was said to be known only after the fact."
    named = Specification(target="yield", features=("noise", "heat"))
    assert chosen_features(named, columns) == ("heat", "noise")


def test_what_cannot_be_a_variable_is_made_none_by_a_role(any_app: Flask, caller: Caller) -> None:
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(40)]
    rows = "".join(f"{day},5,{n},{n * n % 17}\n" for n, day in enumerate(days))
    content = ("day,same,number,y\n" + rows).encode()
    dataset = confirmed(caller, content, day="context", same="lever", number="context")
    roles = {column.name: column.role for column in columns_of(dataset)}
    # The person knows better that the number counts nothing; a date stays a date.
    assert roles == {"day": "time", "same": "constant", "number": "feature", "y": "feature"}


def test_keys_of_a_later_release_are_passed_over(app: Flask, caller: Caller) -> None:
    dataset = confirmed(caller, make_csv())
    columns = [{**column, "later": 1} for column in dataset.preview["columns"]]
    dataset.preview = {**dataset.preview, "columns": columns}
    assert columns_of(dataset)[0].name == "heat"
