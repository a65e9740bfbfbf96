"""The main job, driven as a person does it."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT, Visit

pytestmark = [pytest.mark.browser, pytest.mark.queue]
CONCRETE = ROOT / "prodapp" / "demo_data" / "concrete.csv"


@pytest.fixture
def long_file(tmp_path: Path) -> Path:
    """A file whose training is still at work when a person finds the next button."""
    head, *rows = CONCRETE.read_text("utf-8").splitlines()
    file = tmp_path / "long.csv"
    file.write_text("\n".join([head, *(rows * 60)]) + "\n")
    return file


def add_machine(page: Page, name: str) -> None:
    page.get_by_role("link", name="New machine").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("button", name="Create and upload data").click()
    expect(page.get_by_role("heading", name="Upload data")).to_be_visible()


def upload(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator("[data-file-name]")).to_contain_text(file.name)
    page.get_by_role("button", name="Upload and check").click()


def confirm(page: Page) -> None:
    page.get_by_role("button", name="Confirm and import").first.click()
    expect(page.locator("#dataset-findings")).to_be_visible()


def train(page: Page, target: str) -> None:
    page.get_by_label(re.compile("^Target")).select_option(target)
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("link", name="See the ranking").click(timeout=120_000)


@pytest.fixture
def brazilian_file(tmp_path: Path) -> Path:
    """As a spreadsheet in Brazil writes it: ``;``, decimal commas, cp1252, a row of units."""
    rows = [
        f"{20 + n % 17},{n % 10};{180 + n % 23},5;{'AB'[n % 2]};{90 + n % 17 / 2 - n % 23 / 4:.2f}"
        for n in range(200)
    ]
    head = ["Vazão;Pressão;Turno;Rendimento", "kg/h;bar;;%"]
    file = tmp_path / "linha 3.csv"
    file.write_bytes(
        "\r\n".join([*head, *(row.replace(".", ",") for row in rows)]).encode("cp1252")
    )
    return file


def test_a_brazilian_file_is_checked_read_otherwise_named_and_trained(
    visit: Callable[..., Visit], brazilian_file: Path
) -> None:
    page = visit().enter()
    add_machine(page, "Linha 3")
    upload(page, brazilian_file)
    expect(page.locator("#read-encoding")).to_contain_text("Found out: Windows-1252")
    head = page.locator("#first-rows thead")
    expect(head).to_contain_text("number · bar")
    page.get_by_label("Friendly name of Vazão").fill("Water flow")
    page.locator("#read-units_row").select_option("no")
    expect(head).not_to_contain_text("bar")
    expect(page.get_by_label("Friendly name of Vazão")).to_have_value("Water flow")
    page.locator("#read-units_row").select_option("")
    expect(head).to_contain_text("number · bar")
    page.get_by_label("Role of Pressão").select_option("lever")
    page.get_by_label("Role of Turno").select_option("group")
    page.get_by_label(re.compile("^Target")).select_option("Rendimento")
    page.get_by_label("more is better").check()
    confirm(page)
    expect(page.locator("#dataset-findings")).to_contain_text("Water flow")
    expect(page.get_by_label(re.compile("^Target"))).to_have_value("Rendimento")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("link", name="See the ranking").click(timeout=120_000)
    expect(page.locator("#ranking tbody tr")).to_have_count(2)


def test_an_abandoned_draft_is_found_on_its_machine_and_discarded(
    visit: Callable[..., Visit], brazilian_file: Path
) -> None:
    page = visit("phone", language="pt-BR").enter()
    page.get_by_role("link", name="Nova máquina").click()
    page.get_by_role("dialog").get_by_label("Nome").fill("Abandonada")
    page.get_by_role("dialog").get_by_role("button").last.click()
    page.locator("input[type=file]").set_input_files(brazilian_file)
    page.get_by_role("button", name="Enviar e conferir").click()
    expect(page.locator("#check")).to_be_visible()
    page.get_by_role("link", name="Abandonada").click()
    page.get_by_role("link", name="Continuar a conferência").click()
    page.get_by_role("link", name="Descartar").click()
    page.get_by_role("dialog").get_by_role("button", name="Descartar").click()
    expect(page.get_by_text("linha 3.csv foi descartado.")).to_be_visible()


def test_a_period_is_drawn_on_the_trend_left_out_and_taken_back(
    visit: Callable[..., Visit], brazilian_file: Path
) -> None:
    page = visit().enter()
    add_machine(page, "With a start-up")
    upload(page, brazilian_file)
    confirm(page)
    # The page that comes by itself when the import has ended has no form for this yet.
    expect(page.locator("#dataset-findings")).to_contain_text("Ready", timeout=60_000)
    page.reload()
    page.get_by_role("link", name="Choose rows").click()
    trend = page.locator("[data-trend]")
    box = trend.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 90, steps=4)
    page.mouse.up()
    first, last = (int(page.get_by_label(name).input_value()) for name in ("From row", "To row"))
    assert 30 < first < 60 < 80 < last < 110
    page.get_by_label("Why").first.fill("Start-up")
    page.get_by_role("button", name="Leave this period out").click()
    expect(page.get_by_text(f"{last - first + 1} rows")).to_be_visible()
    expect(page.locator(".trend-out")).to_have_count(1)
    page.get_by_role("button", name="Take back: Start-up").click()
    expect(page.get_by_text("No rows are left out.")).to_be_visible()


def test_the_keyboard_alone_reads_a_file_otherwise_and_confirms_it(
    visit: Callable[..., Visit], brazilian_file: Path
) -> None:
    page = visit().enter()
    add_machine(page, "By keys")
    upload(page, brazilian_file)
    page.get_by_label("Friendly name of Vazão").focus()
    page.keyboard.type("Flow")
    page.locator("#read-units_row").focus()
    page.keyboard.press("End")
    expect(page.locator("#first-rows thead")).not_to_contain_text("bar")
    expect(page.locator("#read-units_row")).to_be_focused()
    page.get_by_label("Friendly name of Vazão").focus()
    with page.expect_response(re.compile("/check$")):
        page.keyboard.press("Enter")  # reads again; imports nothing by accident
    expect(page.get_by_label("Friendly name of Vazão")).to_have_value("Flow")
    expect(page.locator("#check")).to_be_visible()
    page.locator("#check").get_by_role("button", name="Confirm and import").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#dataset-findings")).to_contain_text("Flow")


@pytest.mark.parametrize("size", ["pc", "phone"])
def test_from_sign_in_to_a_ranking(visit: Callable[..., Visit], size: str) -> None:
    page = visit(size).sign_in()
    add_machine(page, f"Concrete plant ({size})")

    upload(page, CONCRETE)
    expect(page.get_by_role("heading", name="concrete.csv")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/app/datasets/\d+$"))
    confirm(page)
    expect(page.locator("#dataset-findings")).to_contain_text("1,030")

    train(page, "compressive_strength")
    expect(page.locator("#verdict")).to_contain_text("compressive_strength")
    first = page.locator("#ranking tbody tr").first
    expect(first).to_contain_text(re.compile("age|cement"))
    expect(first).to_contain_text("raises")
    expect(page.locator("#ranking tbody tr")).to_have_count(8)

    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text("utf-8-sig"))))
    assert len(rows) == 8

    page.get_by_role("link", name="Machines").first.click()
    row = page.get_by_role("row").filter(has_text=f"Concrete plant ({size})")
    expect(row).to_contain_text("Ranking ready")


def test_a_run_says_that_it_is_ready_to_those_who_cannot_see(visit: Callable[..., Visit]) -> None:
    page = visit().enter()
    add_machine(page, "Announced")
    upload(page, CONCRETE)
    confirm(page)
    page.get_by_label(re.compile("^Target")).select_option("compressive_strength")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(page.locator("#live")).to_have_text("The ranking is ready.", timeout=120_000)


def test_a_run_can_be_canceled_and_tried_again(
    visit: Callable[..., Visit], long_file: Path
) -> None:
    page = visit().enter()
    add_machine(page, "Canceled")
    upload(page, long_file)
    confirm(page)
    page.get_by_label(re.compile("^Target")).select_option("compressive_strength")
    page.get_by_role("button", name="Train", exact=True).click()
    page.get_by_role("button", name="Cancel the training").click()
    expect(page.get_by_text("It was canceled.")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("button", name="Train again")).to_be_visible()


def test_a_file_that_is_no_table_is_refused_with_what_to_do(
    visit: Callable[..., Visit], tmp_path: Path
) -> None:
    window = visit()
    page = window.enter()
    add_machine(page, "Refused")
    file = tmp_path / "notes.csv"
    file.write_text("only one column\n" + "\n".join("word" for _ in range(50)) + "\n")
    upload(page, file)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The file was not accepted")
    expect(page.get_by_role("button", name="Upload and check")).to_be_enabled()
    # The browser itself notes the 422 that the refusal is.
    window.complaints[:] = [c for c in window.complaints if "422" not in c]


def test_the_list_is_searched_while_typing(visit: Callable[..., Visit]) -> None:
    window = visit()
    window.server.flask("machine", "create", "Oven north")
    window.server.flask("machine", "create", "Oven south")
    page = window.enter()
    page.get_by_label("Search by name").press_sequentially("south")
    expect(page.get_by_role("link", name="Oven south")).to_be_visible()
    expect(page.get_by_role("link", name="Oven north")).to_have_count(0)
    expect(page).to_have_url(re.compile(r"q=south"))


def test_deleting_asks_first_and_names_what_is_lost(visit: Callable[..., Visit]) -> None:
    window = visit()
    machine = json.loads(window.server.flask("machine", "create", "Short-lived", "--json"))
    window.server.flask("dataset", "import", str(machine["id"]), str(CONCRETE))
    page = window.enter()
    page.get_by_role("link", name="Short-lived").click()
    page.get_by_role("link", name="Delete").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 data set with its file")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("link", name="Delete").click()
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_text("Short-lived was deleted.")).to_be_visible()


def test_the_journey_needs_no_script(chromium_without_scripts: Visit) -> None:
    page = chromium_without_scripts.sign_in()
    page.get_by_role("link", name="New machine").click()
    page.get_by_label("Name").fill("Plain")
    page.get_by_role("button", name="Create and upload data").click()
    page.locator("input[type=file]").set_input_files(CONCRETE)
    page.get_by_role("button", name="Upload and check").click()
    page.get_by_label("Role of age").select_option("lever")
    page.get_by_label("Decimal mark").first.select_option(".")
    page.get_by_role("button", name="Read again").last.click()
    expect(page.get_by_label("Role of age")).to_have_value("lever")
    confirm(page)
    page.get_by_label(re.compile("^Target")).select_option("compressive_strength")
    page.get_by_role("button", name="Train", exact=True).click()
    for _ in range(120):
        if page.get_by_role("link", name="See the ranking").count():
            break
        page.wait_for_timeout(1000)
        page.reload()
    page.get_by_role("link", name="See the ranking").click()
    expect(page.locator("#ranking tbody tr")).to_have_count(8)


def test_the_keyboard_alone_is_enough_to_sign_in_and_add_a_machine(
    visit: Callable[..., Visit],
) -> None:
    window = visit()
    page = window.open("/app/sign-in")
    page.keyboard.type("maria")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type("seven blue turbines hum")
    page.keyboard.press("Enter")
    link = page.get_by_role("link", name="New machine")
    expect(link).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if link.evaluate("element => element === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    page.keyboard.type("By keyboard")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Upload data")).to_be_visible()


def test_a_run_that_is_gone_while_it_is_watched_says_so(
    visit: Callable[..., Visit], long_file: Path
) -> None:
    window = visit()
    page = window.enter()
    add_machine(page, "Deleted by a colleague")
    upload(page, long_file)
    confirm(page)
    page.get_by_label(re.compile("^Target")).select_option("compressive_strength")
    page.get_by_role("button", name="Train", exact=True).click()
    back = page.get_by_role("link", name="Deleted by a colleague").get_attribute("href")
    colleague = visit()
    colleague.enter()
    colleague.open(f"{back}/delete").get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("alert")).to_contain_text("There is no training run")
    # The browser itself notes the 404 of each question.
    window.complaints[:] = [c for c in window.complaints if "404" not in c]
