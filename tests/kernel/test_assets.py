"""The built assets: complete, small, never stale. Skipped where they could not be fetched."""

import gzip
import json
import re
import shutil
import time
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from casewell.kernel.asset_route import send_asset
from casewell.kernel.assets import PACKAGE, PROJECT, STATIC, AssetsError, asset_url, build

VENDOR = STATIC / "vendor"
FIRST_LOAD = 200_000
LOADED_BY_EVERY_PAGE = ["tabler.css", "casewell.css", "inter.woff2", "icons.svg", "htmx.js"]

needs_assets = pytest.mark.skipif(
    not (VENDOR / "manifest.json").exists(), reason="the assets are not built: run `make assets`"
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of what the build reads, with the packages that are already fetched."""
    for name in ("package.json", "package-lock.json", "purgecss.config.cjs"):
        shutil.copyfile(PROJECT / name, tmp_path / name)
    kernel = tmp_path / "src/casewell/kernel"
    shutil.copytree(STATIC, kernel / "static", ignore=shutil.ignore_patterns("vendor*"))
    shutil.copytree(STATIC.parent / "templates", kernel / "templates")
    (tmp_path / "node_modules").symlink_to(PROJECT / "node_modules")
    return tmp_path


def quiet(_: str) -> None:
    """Builds in tests have nobody to tell."""


@needs_assets
def test_a_first_load_is_under_200_kb() -> None:
    names = [*LOADED_BY_EVERY_PAGE, "idiomorph.js", *_scripts()]
    sizes = [len(gzip.compress((VENDOR / name).read_bytes(), 9)) for name in names]
    assert sum(sizes) < FIRST_LOAD


@needs_assets
def test_a_second_build_does_nothing_and_is_quick(project: Path) -> None:
    assert build(project, say=quiet)
    start = time.perf_counter()
    assert not build(project, say=quiet)
    assert time.perf_counter() - start < 0.3


@needs_assets
def test_a_changed_style_sheet_gets_a_new_address(project: Path) -> None:
    build(project, say=quiet)
    before = _manifest(project)
    sheet = project / "src/casewell/kernel/static/css/base.css"
    sheet.write_text(sheet.read_text() + "\n.cw-new { color: red; }\n")
    assert build(project, say=quiet)
    after = _manifest(project)
    assert after["casewell.css"] != before["casewell.css"]
    assert after["htmx.js"] == before["htmx.js"]


@needs_assets
def test_scripts_import_each_other_by_version() -> None:
    addresses = [
        address
        for name in _scripts()
        for address in re.findall(r'(?:from|import) ?"(\./[^"]+)"', (VENDOR / name).read_text())
    ]
    assert addresses
    assert len({address.partition("?v=")[2] for address in addresses}) == 1
    assert all("?v=" in address for address in addresses)


@needs_assets
def test_the_kits_style_sheet_keeps_what_templates_name_and_little_else() -> None:
    kit = (VENDOR / "tabler.css").read_text()
    assert ".btn-primary" in kit
    assert ".timeline-event-icon" not in kit
    assert len(kit) < 200_000


@needs_assets
def test_the_sprite_has_an_icon_that_only_python_names(project: Path) -> None:
    (project / "src/casewell/places.py").write_text('ICON = "sailboat"\n')
    build(project, say=quiet)
    sprite = (project / "src/casewell/kernel/static/vendor/icons.svg").read_text()
    assert 'id="sailboat"' in sprite
    assert 'id="anchor"' not in sprite


@needs_assets
def test_an_icon_that_does_not_exist_stops_the_build(project: Path) -> None:
    page = project / "src/casewell/kernel/templates/wrong.html"
    page.write_text('{{ icon("no-such-icon") }}')
    with pytest.raises(AssetsError, match="no-such-icon"):
        build(project, say=quiet)


@needs_assets
def test_every_kit_brings_its_licence() -> None:
    texts = [path.read_text() for path in (VENDOR / "licences").iterdir()]
    assert len(texts) == 5
    assert all(len(text) > 400 for text in texts)


def test_a_copy_without_lock_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(AssetsError, match=r"package-lock\.json"):
        build(tmp_path, say=quiet)


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((PROJECT / "package-lock.json").read_text())
    packages = [about for name, about in lock["packages"].items() if name]
    assert packages
    assert all("resolved" not in about for about in packages)
    assert all(about["integrity"].startswith("sha512-") for about in packages)


@needs_assets
def test_a_versioned_asset_comes_compressed_and_is_kept_for_ever() -> None:
    answer = _get(asset_url("casewell.css"), encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.content_type.startswith("text/css")
    assert gzip.decompress(answer.data) == (VENDOR / "casewell.css").read_bytes()


@needs_assets
def test_what_two_pages_need_is_bundled_once() -> None:
    """Two copies of a module would each have a state of their own."""
    holders = [name for name in _scripts() if "csrf-token" in (VENDOR / name).read_text()]
    assert any(name.startswith("js/shared-") for name in holders)
    assert not {"js/app.js", "js/inbox.js"} & set(holders)


@needs_assets
def test_a_first_visit_is_not_sent_the_headers_of_pages() -> None:
    answer = _get(asset_url("casewell.css"), encoding="gzip")
    assert {"ETag", "Last-Modified", "Content-Disposition"}.isdisjoint(answer.headers.keys())


@needs_assets
def test_an_asset_without_version_is_asked_for_again() -> None:
    answer = _get("/static/vendor/casewell.css")
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "Content-Encoding" not in answer.headers


@pytest.mark.parametrize("path", ["../assets.py", "..%2f..%2fassets.py", "vendor/none.js"])
def test_nothing_but_assets_is_served(path: str) -> None:
    assert _get(f"/static/{path}").status_code == 404


@pytest.mark.parametrize(
    "template",
    sorted(PACKAGE.rglob("*.html")),
    ids=lambda path: path.relative_to(PACKAGE).as_posix(),
)
def test_a_template_obeys_the_csp(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle\s*=", text), "style attributes are blocked: make a class"
    assert not re.search(r"<style[\s>]", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text), "event attributes are blocked"
    assert not re.search(r"<script(?![^>]*\ssrc=)", text), "inline scripts are blocked"
    assert not re.search(r"\shx-on[:-]", text), "htmx may not evaluate code"


def _scripts() -> list[str]:
    return [f"js/{path.name}" for path in sorted((VENDOR / "js").glob("*.js"))]


def _manifest(project: Path) -> dict[str, str]:
    path = project / "src/casewell/kernel/static/vendor/manifest.json"
    manifest: dict[str, str] = json.loads(path.read_text())
    return manifest


def _get(address: str, *, encoding: str = "identity") -> TestResponse:
    app = Flask("assets", static_folder=None)
    app.add_url_rule("/static/<path:filename>", "static", send_asset)
    return app.test_client().get(address, headers={"Accept-Encoding": encoding}, buffered=True)
