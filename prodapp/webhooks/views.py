"""The pages of webhooks and of the log of what was told."""

from __future__ import annotations

import json
from dataclasses import asdict

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from prodapp.auth.guard import current_caller
from prodapp.auth.objects import machine_of
from prodapp.auth.permissions import requires
from prodapp.error_text import error_text
from prodapp.exceptions import Conflict, DomainError, InvalidInput
from prodapp.extensions import settings_of
from prodapp.happenings import SUBSCRIBABLE
from prodapp.i18n import gettext as _
from prodapp.webhooks import deliveries, service, words
from prodapp.webhooks.forms import LogQuery, WebhookForm
from prodapp.webhooks.service import NewSecret

bp = Blueprint("webhooks", __name__, url_prefix="/app/webhooks")
bp.add_app_template_filter(words.event_word, "event_word")
bp.add_app_template_filter(words.error_word, "delivery_error")
bp.add_app_template_filter(words.reason_word, "disabled_reason")
bp.add_app_template_filter(deliveries.state_of, "delivery_state")


@bp.get("/")
@requires("analyst")
def index() -> str:
    page = service.list_webhooks(current_caller(), page=max(1, request.args.get("page", 1, int)))
    return render_template("webhooks/list.html", page=page)


@bp.get("/new")
@requires("analyst")
def new() -> str:
    form = WebhookForm(
        events=("run.succeeded", "run.failed"), machine_id=request.args.get("machine_id", type=int)
    )
    return _form(form)


@bp.post("/")
@requires("analyst")
def create() -> str | tuple[str, int]:
    form = WebhookForm.parse(request.form)
    try:
        made = service.create_webhook(current_caller(), **asdict(form))
    except (InvalidInput, Conflict) as error:
        return _form(form, error=error), 422
    return _secret(made)


@bp.get("/<int:webhook_id>")
@requires("analyst")
def detail(webhook_id: int) -> str:
    query, caller = LogQuery.parse(request.args), current_caller()
    webhook = service.webhook_of(caller, webhook_id)
    page = deliveries.list_deliveries(
        caller, webhook_id, state=query.state or None, page=query.page
    )
    return render_template("webhooks/detail.html", webhook=webhook, page=page, state=query.state)


@bp.get("/<int:webhook_id>/edit")
@requires("analyst")
def edit(webhook_id: int) -> str:
    webhook = service.webhook_of(current_caller(), webhook_id)
    return _form(WebhookForm.of(webhook), webhook_id=webhook.id)


@bp.post("/<int:webhook_id>/edit")
@requires("analyst")
def change(webhook_id: int) -> Response | tuple[str, int]:
    form = WebhookForm.parse(request.form)
    try:
        webhook = service.change_webhook(
            current_caller(), webhook_id, name=form.name, url=form.url, events=form.events
        )
    except InvalidInput as error:
        return _form(form, error=error, webhook_id=webhook_id), 422
    flash(_("The webhook %(name)s was changed.", name=webhook.name), "success")
    return _back(webhook_id)


@bp.post("/<int:webhook_id>/activation")
@requires("analyst")
def set_active(webhook_id: int) -> Response:
    is_active = request.form.get("is_active") == "yes"
    service.change_webhook(current_caller(), webhook_id, is_active=is_active)
    flash(_("The webhook is on.") if is_active else _("The webhook is off."), "success")
    return _back(webhook_id)


@bp.post("/<int:webhook_id>/secret")
@requires("analyst")
def rotate(webhook_id: int) -> str:
    return _secret(service.rotate_secret(current_caller(), webhook_id))


@bp.post("/<int:webhook_id>/test")
@requires("analyst")
def test(webhook_id: int) -> Response:
    made = deliveries.send_test(current_caller(), webhook_id)
    return redirect(url_for("webhooks.delivery", delivery_id=made.id))


@bp.post("/<int:webhook_id>/delete")
@requires("analyst")
def delete(webhook_id: int) -> Response:
    webhook = service.webhook_of(current_caller(), webhook_id)
    service.delete_webhook(current_caller(), webhook_id)
    flash(_("The webhook %(name)s was deleted.", name=webhook.name), "success")
    return redirect(url_for("webhooks.index"))


@bp.get("/deliveries/<int:delivery_id>")
@requires("analyst", is_poll=True)
def delivery(delivery_id: int) -> str:
    found = deliveries.delivery_of(current_caller(), delivery_id)
    return render_template(
        "webhooks/delivery.html",
        delivery=found,
        payload=json.dumps(found.payload, ensure_ascii=False, indent=2),
    )


@bp.post("/deliveries/<int:delivery_id>/replay")
@requires("analyst")
def replay(delivery_id: int) -> Response:
    deliveries.replay(current_caller(), delivery_id)
    return redirect(url_for("webhooks.delivery", delivery_id=delivery_id))


def _form(
    form: WebhookForm, *, error: DomainError | None = None, webhook_id: int | None = None
) -> str:
    wrong = {field.pointer.strip("/") for field in error.fields} if error is not None else set()
    machine = None
    if form.machine_id is not None:
        machine = machine_of(current_caller(), form.machine_id)
    return render_template(
        "webhooks/form.html",
        form=form,
        webhook_id=webhook_id,
        machine=machine,
        events=SUBSCRIBABLE,
        error=None if error is None else error_text(error),
        wrong=wrong,
        hosts=settings_of(current_app).callback_allowed_hosts,
    )


def _secret(made: NewSecret) -> str:
    return render_template("webhooks/secret.html", webhook=made.webhook, secret=made.secret)


def _back(webhook_id: int) -> Response:
    return redirect(url_for("webhooks.detail", webhook_id=webhook_id))
