"""The application as a server imports it: `casewell serve` takes `front`, WSGI servers `app`."""

from casewell.app import create_app
from casewell.bootstrap import make_runtime
from casewell.kernel.front import Front
from casewell.kernel.logs import start_logging
from casewell.kernel.settings import load_settings

settings = load_settings()
start_logging(settings.log_format, settings.log_level)
app = create_app(make_runtime(settings))
front = Front(app, threads=settings.web_threads, proxies=settings.trusted_proxies)
