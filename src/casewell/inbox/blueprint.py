"""The routes of the inbox's pages; `casewell.inbox.routes` loads the modules that add them."""

from flask import Blueprint

blueprint = Blueprint("inbox", __name__, template_folder="templates")
