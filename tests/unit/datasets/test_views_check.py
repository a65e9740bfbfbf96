"""The page on which a person checks how a file is read, before it is imported."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from prodapp.caller import Caller
from prodapp.datasets import service
from prodapp.datasets.column_review import WIDE
from prodapp.datasets.jobs import import_dataset
from prodapp.extensions import db
from prodapp.models import Dataset, DatasetState
from tests.factories import make_dataset, make_machine, make_ready_dataset
from tests.pages import csrf_token

SignIn = Callable[..., FlaskClient]
# A title, names, units; decimal commas; a code that stands apart; dates that tell nothing.
BRAZILIAN = "\r\n".join(
    (
        "Produção da linha 3;;;",
        "Data;Pressão;Umidade;Resistência",
        ";bar;%;MPa",
        *(
            f"0{1 + n % 9}/03/2025;{120 + n / 4:.2f};{-999 if n % 20 == 5 else n / 50:.2f};"
            f"{50 + n / 10 + n % 7:.1f}".replace(".", ",")
            for n in range(60)
        ),
    )
).encode("cp1252")


def make_draft(caller: Caller, content: bytes = BRAZILIAN, **more: Any) -> Dataset:
    return service.register_dataset(
        caller,
        machine_id=make_machine(caller).id,
        source=io.BytesIO(content),
        filename="linha3.csv",
        is_draft=True,
        **more,
    )


def send(client: FlaskClient, dataset: Dataset, *, htmx: bool = False, **form: Any) -> TestResponse:
    """Send the page's form; ``fields`` are those whose names no keyword can be."""
    fields = {
        "csrf_token": csrf_token(client, "/app/machines/new"),
        **form.pop("fields", {}),
        **form,
    }
    headers = {"HX-Request": "true"} if htmx else {}
    answer = client.post(f"/app/datasets/{dataset.id}/check", data=fields, headers=headers)
    db.session.expire_all()
    return answer


def markup(answer: TestResponse) -> str:
    """A page, its attributes one blank apart."""
    return " ".join(answer.text.split())


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_a_draft_shows_its_rows_decisions_reasons_and_warnings(
    sign_in: SignIn, caller: Caller
) -> None:
    page = markup(sign_in().get(f"/app/datasets/{make_draft(caller).id}"))
    words = text_of(page)
    for told in (
        "Found out: Windows-1252",
        "Found out: semicolon",
        "The row below the names holds units.",
        "Rows above the table that fill too few columns: 1",
        "-999 stands apart from the other values of “Umidade”",
        "No date in “Data” tells its day from its month",
        "120.25",
    ):
        assert told in words
    assert 'name="unit:Pressão" value="bar"' in page
    assert page.count('name="remedy"') == 2
    # Enter presses the first button of a form: that one must not import.
    assert "confirm" not in re.findall(r'<button type="submit"[^>]*form="check"[^>]*>', page)[0]


def test_a_decision_is_made_otherwise_and_what_was_typed_stays(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = make_draft(caller)
    answer = send(
        sign_in(),
        dataset,
        htmx=True,
        fields={
            "read.units_row": "no",
            "read.decimal": "",
            "label:Pressão": "Água  quente",
            "unit:Pressão": "bar",
            "unit:Umidade": "g/kg",
        },
    )
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert dataset.overrides == {"units_row": "no"}
    assert 'name="label:Pressão" value="Água quente"' in markup(answer)
    # What the file alone had said follows it; what a person typed does not.
    assert 'name="unit:Pressão" value=""' in markup(answer)
    assert 'name="unit:Umidade" value="g/kg"' in markup(answer)
    assert [column["unit"] for column in dataset.preview["columns"]] == [None] * 4
    assert dataset.state == DatasetState.DRAFT


def test_without_script_the_whole_page_comes_back(sign_in: SignIn, caller: Caller) -> None:
    answer = send(sign_in(), make_draft(caller), fields={"read.kind:Pressão": "category"})
    assert answer.text.lstrip().startswith("<!DOCTYPE html>")
    assert '<option value="category" selected>' in answer.text


def test_a_choice_by_which_the_file_cannot_be_read_is_told_and_changes_nothing(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = make_draft(caller)
    before = json.dumps(dataset.preview)
    answer = send(sign_in(), dataset, htmx=True, fields={"read.delimiter": "|"})
    assert answer.status_code == 422
    assert "So the file cannot be read" in answer.text
    assert '<option value="|" selected>' in answer.text
    assert (dataset.overrides, json.dumps(dataset.preview)) == ({}, before)


def test_one_button_applies_a_remedy_to_the_choices_made_before(
    sign_in: SignIn, caller: Caller
) -> None:
    client, dataset = sign_in(), make_draft(caller, overrides={"dates:Data": "m/d/Y"})
    answer = send(client, dataset, remedy=json.dumps({"missing:Umidade": ""}))
    assert dataset.overrides == {"dates:Data": "m/d/Y", "missing:Umidade": ""}
    assert dataset.preview["columns"][2]["minimum"] == -999
    # The choice of no codes is a field now, which can be taken back.
    assert 'name="none.missing:Umidade"' in answer.text
    send(client, dataset, fields={"read.missing:Umidade": "", "read.dates:Data": "m/d/Y"})
    assert dataset.overrides == {"dates:Data": "m/d/Y"}


@pytest.mark.parametrize("remedy", ["nonsense", "[1]", '{"no-such-choice": "1"}'])
def test_a_remedy_that_is_none_is_refused(sign_in: SignIn, caller: Caller, remedy: str) -> None:
    dataset = make_draft(caller)
    assert send(sign_in(), dataset, remedy=remedy).status_code == 422
    assert dataset.overrides == {}


def test_confirming_sends_the_file_to_import_with_what_was_said(
    sign_in: SignIn, caller: Caller
) -> None:
    client, dataset = sign_in(), make_draft(caller)
    answer = send(
        client,
        dataset,
        action="confirm",
        target="Resistência",
        sense="hold",
        goal="52.5",
        fields={
            "label:Pressão": "Pressão de injeção",
            "unit:Pressão": "bar",
            "role:Pressão": "lever",
            "unit:Umidade": "g/kg",
            "role:Resistência": "context",
        },
    )
    assert answer.location == f"/app/datasets/{dataset.id}"
    assert dataset.state == DatasetState.QUEUED
    said = dataset.settings
    assert said is not None
    assert (said["target"], said["sense"], said["goal"]) == ("Resistência", "hold", 52.5)
    columns = {column["name"]: column for column in said["columns"]}
    assert columns["Pressão"]["label"] == "Pressão de injeção"
    assert columns["Pressão"]["role"] == "lever"
    assert columns["Umidade"]["unit"] == "g/kg"
    page = client.get(answer.location).text
    assert "Pressão de injeção" in page
    assert '<option value="Resistência" selected' in page


def test_a_goal_is_read_as_the_readers_language_writes_numbers(
    sign_in: SignIn, caller: Caller
) -> None:
    client = sign_in()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "pt-BR"
    dataset = make_draft(caller)
    said = {"action": "confirm", "target": "Resistência", "sense": "hold"}
    wrong = send(client, dataset, goal="52.5 MPa", **said)
    assert wrong.status_code == 422
    assert "52.5 MPa" in wrong.text
    assert dataset.state == DatasetState.DRAFT
    send(client, dataset, goal="52,5", **said)
    assert dataset.settings is not None
    assert dataset.settings["goal"] == 52.5


def test_choices_that_nobody_has_seen_are_read_before_they_are_confirmed(
    sign_in: SignIn, caller: Caller
) -> None:
    client, dataset = sign_in(), make_draft(caller)
    fields = {"read.units_row": "no"}
    answer = send(client, dataset, action="confirm", fields=fields)
    assert "was read again with your changes" in answer.text
    assert dataset.state == DatasetState.DRAFT
    assert send(client, dataset, action="confirm", fields=fields).status_code == 302
    assert dataset.state == DatasetState.QUEUED


def test_what_was_said_of_an_earlier_file_is_offered_for_the_next(
    sign_in: SignIn, caller: Caller
) -> None:
    client, first = sign_in(), make_draft(caller)
    fields = {"label:Pressão": "Pressão de injeção", "role:Pressão": "lever"}
    send(client, first, action="confirm", target="Resistência", sense="raise", fields=fields)
    second = service.register_dataset(
        caller,
        machine_id=first.machine_id,
        source=io.BytesIO(BRAZILIAN),
        filename="next.csv",
        is_draft=True,
    )
    page = markup(client.get(f"/app/datasets/{second.id}"))
    assert 'name="label:Pressão" value="Pressão de injeção"' in page
    assert '<option value="lever" selected>' in page
    assert '<option value="Resistência" selected>' in page


def test_names_of_columns_are_harmless_in_every_field(sign_in: SignIn, caller: Caller) -> None:
    name = '"><img src=x onerror=alert(1)>'
    content = BRAZILIAN.replace(
        "Pressão".encode("cp1252"), f'"{name.replace(chr(34), chr(34) * 2)}"'.encode()
    )
    client, dataset = sign_in(), make_draft(caller, content)
    assert dataset.preview["columns"][1]["name"] == name
    page = client.get(f"/app/datasets/{dataset.id}").text
    assert "<img" not in page
    send(client, dataset, fields={f"read.kind:{name}": "category", f"label:{name}": name})
    assert dataset.overrides == {f"kind:{name}": "category"}


def test_the_machine_leads_back_to_an_abandoned_draft(sign_in: SignIn, caller: Caller) -> None:
    dataset = make_draft(caller)
    page = sign_in().get(f"/app/machines/{dataset.machine_id}").text
    assert "linha3.csv waits to be checked" in page
    assert f'href="/app/datasets/{dataset.id}"' in page
    assert "Go on checking" not in sign_in("viewer").get(f"/app/machines/{dataset.machine_id}").text


def test_a_draft_is_discarded_after_a_question(sign_in: SignIn, caller: Caller) -> None:
    client, dataset = sign_in(), make_draft(caller)
    path = f"/app/datasets/{dataset.id}/discard"
    question = client.get(path).text
    assert "Discard linha3.csv?" in question
    token = csrf_token(client, path)
    answer = client.post(path, data={"csrf_token": token}, follow_redirects=True)
    assert "linha3.csv was discarded." in answer.text
    assert client.get(f"/app/datasets/{dataset.id}").status_code == 404


def test_what_was_confirmed_is_neither_read_otherwise_nor_discarded(
    sign_in: SignIn, caller: Caller
) -> None:
    client, dataset = sign_in(), make_dataset(caller)
    assert send(client, dataset, fields={"read.header": "no"}).status_code == 409
    token = csrf_token(client, "/app/machines/new")
    answer = client.post(f"/app/datasets/{dataset.id}/discard", data={"csrf_token": token})
    assert answer.status_code == 409
    assert client.get(f"/app/datasets/{dataset.id}").status_code == 200


def test_a_page_that_was_sent_is_there_again_when_asked_for_anew(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = make_draft(caller)
    page = sign_in().get(f"/app/datasets/{dataset.id}/check")
    assert page.status_code == 200
    assert 'id="check"' in page.text


def test_a_viewer_sees_a_draft_and_decides_nothing(sign_in: SignIn, caller: Caller) -> None:
    client, dataset = sign_in("viewer"), make_draft(caller)
    page = client.get(f"/app/datasets/{dataset.id}").text
    assert "Windows-1252" in page
    assert 'id="check"' not in page
    assert 'name="target"' not in page
    token = csrf_token(client, "/app/machines/")
    answer = client.post(f"/app/datasets/{dataset.id}/check", data={"csrf_token": token})
    assert answer.status_code == 403


def test_a_column_that_gives_the_chosen_target_away_is_suggested_as_a_consequence(
    sign_in: SignIn, caller: Caller
) -> None:
    rows = [f"{n % 29},{n * 37 % 101},{2 * (n * 37 % 101) + n % 3}" for n in range(300)]
    dataset = make_draft(caller, "\n".join(["heat,yield,copy", *rows]).encode())
    said = {"role:heat": "context", "role:yield": "context", "role:copy": "context"}
    page = markup(send(sign_in(), dataset, target="yield", fields=said))
    assert "Alone it explains" in page
    assert page.count('<option value="consequence" selected>') == 1
    # The target has no other role to choose.
    assert 'name="role:yield"' not in page


def test_variables_to_train_with_are_those_that_were_said_to_drive(
    sign_in: SignIn, caller: Caller
) -> None:
    client, dataset = sign_in(), make_draft(caller)
    fields = {"role:Pressão": "lever", "role:Umidade": "consequence"}
    send(client, dataset, action="confirm", target="Resistência", fields=fields)
    page = markup(client.get(f"/app/datasets/{dataset.id}"))
    assert 'name="features" value="Pressão" checked' in page
    assert 'name="features" value="Umidade">' in page


def test_a_leak_that_only_the_whole_file_shows_is_not_among_the_variables(
    sign_in: SignIn, caller: Caller
) -> None:
    rng = np.random.default_rng(0)
    wanted = np.concatenate([rng.normal(size=2000), 100 * rng.normal(size=4000)])
    copied, heat = wanted + rng.normal(size=6000), rng.normal(size=6000)
    rows = [
        # The notes of the first rows are longer than what is previewed.
        f"{h:.3f},{w:.3f},{c:.3f},note {n}{'.' * (1200 if n < 2000 else 0)}"
        for n, (h, w, c) in enumerate(zip(heat, wanted, copied, strict=True))
    ]
    content = "\n".join(["heat,yield,copy,note", *rows]).encode()
    client, dataset = sign_in(), make_draft(caller, content)
    assert not dataset.preview["is_complete"]
    said = {"role:heat": "context", "role:copy": "context"}
    answer = send(client, dataset, target="yield", fields=said)
    assert 'value="consequence" selected' not in answer.text
    send(client, dataset, action="confirm", target="yield", fields=said)
    import_dataset(dataset.id)
    page = markup(client.get(f"/app/datasets/{dataset.id}"))
    assert "May give the target away" in page
    assert 'name="features" value="heat" checked' in page
    assert 'name="features" value="copy">' in page


def test_a_role_that_is_taken_back_is_remembered_as_taken_back(
    sign_in: SignIn, caller: Caller
) -> None:
    client, first = sign_in(), make_draft(caller)
    send(client, first, action="confirm", fields={"role:Pressão": "lever"})
    second = service.register_dataset(
        caller,
        machine_id=first.machine_id,
        source=io.BytesIO(BRAZILIAN),
        filename="next.csv",
        is_draft=True,
    )
    send(client, second, action="confirm", fields={"role:Pressão": "context"})
    assert second.settings is not None
    roles = {column["name"]: column["role"] for column in second.settings["columns"]}
    assert roles["Pressão"] == "context"


def test_a_reading_that_was_overtaken_by_the_confirming_leads_on(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = make_draft(caller)
    client = sign_in("operator")
    assert send(client, dataset, action="confirm").status_code == 302
    late = send(client, dataset, htmx=True, fields={"read.decimal": "."})
    assert (late.status_code, late.text) == (204, "")
    assert late.headers["HX-Redirect"] == f"/app/datasets/{dataset.id}"
    assert send(client, dataset, fields={"read.decimal": "."}).status_code == 409


def test_a_name_and_a_factor_that_were_chosen_can_be_taken_back(
    sign_in: SignIn, caller: Caller
) -> None:
    dataset = make_draft(caller, overrides={"name:Umidade": "Wetness", "factor:Pressão": "0.001"})
    client = sign_in("operator")
    page = client.get(f"/app/datasets/{dataset.id}").text
    assert "Instead of “Umidade”" in page
    assert "Multiplied by" in page
    fields = {"read.name:Umidade": "", "read.factor:Pressão": ""}
    assert send(client, dataset, htmx=True, fields=fields).status_code == 200
    db.session.refresh(dataset)
    assert dataset.overrides == {}
    assert "Umidade" in {column["name"] for column in dataset.preview["columns"]}


TWO_TIMES = "\n".join(
    (
        "received,sampled,strength",
        *(f"2026-03-02 {n:02d}:30,2026-03-01 {n:02d}:30,{n * 5 % 17}" for n in range(24)),
    )
).encode()
PRODUCTION = "\n".join(
    ("when,heat,yield", *(f"2026-03-01 {n:02d}:00,{n * 7 % 13},{n * n % 31}" for n in range(24)))
).encode()


def test_of_several_times_a_person_says_which_joins_the_files(
    sign_in: SignIn, caller: Caller
) -> None:
    machine = make_machine(caller)
    process = make_ready_dataset(caller, machine, content=PRODUCTION)
    dataset = service.register_dataset(
        caller,
        machine_id=machine.id,
        source=io.BytesIO(TWO_TIMES),
        filename="laboratory.csv",
        is_draft=True,
    )
    client = sign_in("operator")
    page = client.get(f"/app/datasets/{dataset.id}").text
    assert 'name="laboratory_time"' in page
    # The data set has but one column of times: there is nothing to choose.
    assert 'name="time"' not in page
    fields = {"with": str(process.id), "laboratory_time": "sampled"}
    answer = send(client, dataset, assembly="join", action="confirm", fields=fields)
    assert answer.status_code == 302
    import_dataset(dataset.id)
    db.session.refresh(dataset)
    assert (dataset.state, dataset.n_rows) == (DatasetState.READY, 24)
    assert (dataset.assembly or {})["laboratory_time"] == "sampled"


def test_of_a_wide_table_a_column_shows_its_controls_when_asked(
    sign_in: SignIn, caller: Caller
) -> None:
    names = ",".join(f"c{n}" for n in range(WIDE + 1))
    rows = [",".join(str(n * (place + 7) % 13) for place in range(WIDE + 1)) for n in range(30)]
    client, dataset = sign_in(), make_draft(caller, "\n".join([names, *rows]).encode())
    page = markup(client.get(f"/app/datasets/{dataset.id}"))
    assert 'name="read.kind:c5"' not in page
    assert 'name="open" value="c5"' in page
    page = markup(send(client, dataset, open="c5"))
    assert page.count('name="read.kind:') == 1
    # It stays while others are opened.
    page = markup(send(client, dataset, open="c6", fields={"read.kind:c5": "category"}))
    assert page.count('name="read.kind:') == 2
    assert dataset.overrides == {"kind:c5": "category"}
