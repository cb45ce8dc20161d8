"""The description of the API, for programs and for people."""

from functools import cache
from importlib.metadata import version
from typing import Any

from flask import Blueprint, current_app
from werkzeug.wrappers import Response

from casewell.kernel import web
from casewell.kernel.api import as_response
from casewell.kernel.api import openapi as describe

blueprint = Blueprint("api_docs", __name__, template_folder="templates")


@cache
def _description() -> dict[str, Any]:
    return describe(current_app.url_map.iter_rules(), version("casewell"))


@blueprint.get("/api/openapi.json")
def openapi() -> Response:
    return as_response(_description(), 200)


@blueprint.get("/api")
def show() -> Response:
    """Read the API and try it, signed in as oneself."""
    return web.render("home/api.html", api=_description())
