"""The web application: the only module that knows every part."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from flask import Flask

from casewell.access_table import TABLE
from casewell.kernel import assets, web
from casewell.kernel.asset_route import send_asset

if TYPE_CHECKING:
    from flask import Blueprint

    from casewell.kernel.runtime import Runtime

VERSION = version("casewell")


def blueprints() -> list[Blueprint]:
    """Return the routes of every part."""
    from casewell.clients import api as clients_api
    from casewell.clients import export_pages, import_pages, list_pages, merge_pages, ssn_pages
    from casewell.documents import api as documents_api
    from casewell.documents import pages as documents
    from casewell.email import hooks, mailbox_pages, unreadable_pages
    from casewell.email import import_pages as mail_import_pages
    from casewell.evidence import api as evidence_api
    from casewell.evidence import pages as evidence
    from casewell.health import pages as health
    from casewell.home import api_docs, notifications, palette
    from casewell.home import pages as home
    from casewell.inbox import routes as inbox
    from casewell.notes import api as notes_api
    from casewell.portal import access_pages
    from casewell.portal import pages as portal_pages
    from casewell.portal import sign_in_pages as portal_sign_in
    from casewell.settings import firm, profile, security, users
    from casewell.sms import consent_pages as text_consent
    from casewell.sms import hooks as sms_hooks
    from casewell.sms import settings_pages as sms_settings
    from casewell.staff import api as staff_api
    from casewell.staff import link_pages, set_up_pages, sign_in_pages
    from casewell.tags import api as tags_api
    from casewell.tags import change_pages as tags
    from casewell.timeline import api as timeline_api
    from casewell.timeline import pages as timeline
    from casewell.webhooks import pages as webhooks

    return [
        home.blueprint,
        palette.blueprint,
        notifications.blueprint,
        health.blueprint,
        api_docs.blueprint,
        sign_in_pages.blueprint,
        link_pages.blueprint,
        set_up_pages.blueprint,
        staff_api.api.blueprint,
        profile.blueprint,
        security.blueprint,
        users.blueprint,
        firm.blueprint,
        list_pages.blueprint,
        ssn_pages.blueprint,
        merge_pages.blueprint,
        import_pages.blueprint,
        export_pages.blueprint,
        clients_api.api.blueprint,
        tags.blueprint,
        tags_api.api.blueprint,
        tags_api.of_clients.blueprint,
        documents.blueprint,
        documents_api.api.blueprint,
        documents_api.of_clients.blueprint,
        evidence.blueprint,
        evidence_api.api.blueprint,
        timeline.blueprint,
        timeline_api.api.blueprint,
        hooks.blueprint,
        sms_hooks.blueprint,
        sms_settings.blueprint,
        text_consent.blueprint,
        mailbox_pages.blueprint,
        unreadable_pages.blueprint,
        mail_import_pages.blueprint,
        webhooks.blueprint,
        *inbox.BLUEPRINTS,
        notes_api.api.blueprint,
        access_pages.blueprint,
        portal_sign_in.blueprint,
        portal_pages.blueprint,
    ]


def create_app(runtime: Runtime) -> Flask:
    """Return the application of one installation."""
    from casewell.home.layout import layout_context, template_filters, template_globals
    from casewell.portal.identify import identify_client
    from casewell.staff.identify import identify
    from casewell.staff.refusals import record_refusal

    app = Flask(
        "casewell",
        root_path=str(assets.STATIC.parent),
        template_folder="templates",
        static_folder=None,
    )
    app.url_map.converters["int"] = web.RowNumber
    app.add_url_rule("/static/<path:filename>", "static", send_asset)
    app.jinja_env.globals.update(template_globals())
    app.jinja_env.filters.update(template_filters())
    app.context_processor(layout_context)
    for blueprint in blueprints():
        app.register_blueprint(blueprint)
    web.install(app, runtime, TABLE, identify, identify_client)
    app.after_request(record_refusal)
    return app
