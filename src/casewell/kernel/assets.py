"""What pages load besides HTML, assembled into `static/vendor/` and served under hashed addresses.

`python -m casewell.kernel.assets` builds; a second call sees its stamp and does nothing. Wheels
carry the result, so that an installed Casewell needs neither Node nor this build.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from casewell.kernel.node import NodeFailed, fetch_packages, run

STATIC = Path(__file__).parent / "static"
PACKAGE = Path(__file__).parents[1]
PROJECT = Path(__file__).parents[3]
STATIC_URL = "/static/"

_KITS = (
    "@fontsource-variable/inter",
    "@tabler/core",
    "@tabler/icons-sprite",
    "htmx.org",
    "idiomorph",
)
# This package names its licence but carries no text: its author's other package has the same.
_LICENCE_TEXT_IN = {"@tabler/core": "@tabler/icons-sprite"}
_COPIES = {
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "idiomorph.js": "idiomorph/dist/idiomorph-ext.min.js",
    "inter.woff2": "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
}
# What pages load; whatever these import comes with them.
_SCRIPTS = ("app.js", "inbox.js", "portal.js", "api-try.js")
_ICONS = "@tabler/icons-sprite/dist/tabler-sprite-nostroke.svg"
_COMPRESSED = {".css", ".js", ".svg", ".webmanifest"}
_INTER = """@font-face{{font-family:"Inter Variable";font-style:normal;font-display:swap;\
font-weight:100 900;src:url("inter.woff2?v={version}") format("woff2")}}
"""


class AssetsError(Exception):
    """The assets cannot be built; the message says what is missing and what to do."""


def asset_url(name: str) -> str:
    """Return the address of an asset, such as `js/app.js`, that may be cached for ever.

    Before the first build it is the plain address, so that pages still render, unstyled.
    """
    return STATIC_URL + _manifest().get(name, f"vendor/{name}")


@cache
def _manifest() -> Mapping[str, str]:
    try:
        manifest: dict[str, str] = json.loads((STATIC / "vendor" / "manifest.json").read_text())
    except FileNotFoundError:
        return {}
    return manifest


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 before what Node itself may say


def build(
    project: Path = PROJECT, *, force: bool = False, say: Callable[[str], None] = _say
) -> bool:
    """Fetch and assemble, if anything changed since the last call. Return whether it had.

    Raises AssetsError, NodeFailed.
    """
    package = project / "src" / "casewell"
    vendor = package / "kernel" / "static" / "vendor"
    if not (project / "package-lock.json").exists():
        if (vendor / "manifest.json").exists():
            return False
        raise AssetsError("There is no package-lock.json here to fetch the assets by.")
    with _alone(vendor.parent):
        stamp = _stamp(project, package)
        if not force and _read(vendor / "stamp") == stamp:
            return False
        node = fetch_packages(project, say)
        fresh = vendor.with_name("vendor.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        _assemble(project, package, node, fresh)
        (fresh / "stamp").write_text(stamp)
        shutil.rmtree(vendor, ignore_errors=True)
        fresh.rename(vendor)
    _manifest.cache_clear()
    return True


@contextmanager
def _alone(static: Path) -> Iterator[None]:
    """Two builds at once, say of two test runs, would remove each other's files."""
    import fcntl  # not on Windows, where a built wheel still serves

    with (static / "vendor.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sources(package: Path) -> Iterator[Path]:
    """The files that name classes and icons, and our own assets."""
    own = package / "kernel" / "static"
    for path in sorted(package.rglob("*")):
        if path.is_relative_to(own):
            if path.is_file() and not path.relative_to(own).parts[0].startswith(("vendor", ".")):
                yield path
        elif path.suffix in {".html", ".py"}:
            yield path


def _stamp(project: Path, package: Path) -> str:
    digest = hashlib.sha256()
    settings = (project / "package-lock.json", project / "purgecss.config.cjs")
    for path in (*settings, *_sources(package)):
        digest.update(str(path.relative_to(project)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _assemble(project: Path, package: Path, node: Path, out: Path) -> None:
    modules = project / "node_modules"
    own = package / "kernel" / "static"
    for name, source in _COPIES.items():
        shutil.copyfile(modules / source, out / name)
    _write_kit_css(project, node, out)
    font = _version((out / "inter.woff2").read_bytes())
    (out / "casewell.css").write_text(_INTER.format(version=font) + _own_css(own / "css"))
    (out / "icons.svg").write_text(_sprite((modules / _ICONS).read_text(), package))
    _write_scripts(project, node, own / "js", out / "js")
    shutil.copytree(own / "img", out / "img")
    shutil.copyfile(own / "app.webmanifest", out / "app.webmanifest")
    _write_licences(modules, out)
    manifest: dict[str, str] = {}
    for path in sorted(path for path in out.rglob("*") if path.is_file()):
        name, content = path.relative_to(out).as_posix(), path.read_bytes()
        manifest[name] = f"vendor/{name}?v={_version(content)}"
        if path.suffix in _COMPRESSED:
            path.with_name(path.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))
    (out / "manifest.json").write_text(json.dumps(manifest, indent=1))


def _write_kit_css(project: Path, node: Path, out: Path) -> None:
    """Leave out of the kit's style sheet what no template or script names."""
    purge = project / "node_modules/purgecss/bin/purgecss.js"
    run([str(node), str(purge), "--config", "purgecss.config.cjs", "--output", str(out)], project)
    (out / "tabler.min.css").rename(out / "tabler.css")


def _own_css(folder: Path) -> str:
    """Join the sheets that `index.css` imports, in its order."""
    names = re.findall(r'@import "([\w-]+\.css)";', (folder / "index.css").read_text())
    text = "\n".join((folder / name).read_text() for name in names)
    return re.sub(r"\n\s*\n", "\n", re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL))


def _sprite(kit: str, package: Path) -> str:
    """Return a sprite of the icons in use: those whose name stands in quotes in a source.

    Raises AssetsError for an icon that a template asks for and the kit does not have.
    """
    symbols = dict(re.findall(r'(?s)<symbol id="tabler-([\w-]+)"(.*?)</symbol>', kit))
    used: set[str] = set()
    for path in _sources(package):
        if path.suffix in {".html", ".py", ".js"}:
            text = path.read_text()
            used.update(set(re.findall(r"""["']([a-z0-9-]+)["']""", text)) & symbols.keys())
            asked = set(re.findall(r"""\{\{-? *icon\(["']([^"']+)["']""", text))
            if missing := sorted(asked - symbols.keys()):
                raise AssetsError(f"{path.name} asks for unknown icons: {', '.join(missing)}")
    blank = '<path stroke="none" d="M0 0h24v24H0z" fill="none" />'
    inside = "".join(
        f'<symbol id="{name}"{symbols[name].replace(blank, "")}</symbol>' for name in sorted(used)
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg"><defs>{inside}</defs></svg>\n'


def _write_scripts(project: Path, node: Path, source: Path, out: Path) -> None:
    """Bundle our modules: a page loads one file or two, and what both need stands once, in a third.

    What they import gets the version too, so that none is stale.
    """
    bundler = project / "node_modules/esbuild/bin/esbuild"
    options = "--bundle --splitting --format=esm --minify --target=es2022 --log-level=error"
    entries = [str(source / name) for name in _SCRIPTS]
    names = ["--chunk-names=shared-[hash]", f"--outdir={out}"]
    run([str(node), str(bundler), *entries, *options.split(), *names], project)
    scripts = {path: path.read_text() for path in sorted(out.glob("*.js"))}
    version = _version("".join(scripts.values()).encode())
    for path, text in scripts.items():
        path.write_text(re.sub(r'((?:from|import) ?"\./[\w-]+\.js)"', rf'\1?v={version}"', text))


def _write_licences(modules: Path, out: Path) -> None:
    folder = out / "licences"
    folder.mkdir()
    for kit in _KITS:
        about = json.loads((modules / kit / "package.json").read_text())
        text = (modules / _LICENCE_TEXT_IN.get(kit, kit) / "LICENSE").read_text()
        name = kit.strip("@").replace("/", "-")
        heading = f"{kit} {about['version']}: {about['license']}\n\n"
        (folder / f"{name}.txt").write_text(heading + text)


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:12]


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def main() -> int:
    try:
        built = build(force="--force" in sys.argv[1:])
    except (AssetsError, NodeFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    if built:
        sys.stdout.write(f"The assets are in {STATIC / 'vendor'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
