"""The way in."""

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def index() -> Response:
    """Everyone's day starts in the inbox until there is a dashboard."""
    return redirect(url_for("inbox.index"))
