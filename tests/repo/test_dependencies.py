"""What pyproject.toml declares, what the lock files pin and what the code imports are one thing."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

# Needed without an import in the code.
LOADED_BY_OTHERS = {
    "psycopg": "SQLAlchemy loads it for a postgresql:// address",
    "tzdata": "zoneinfo reads it where the system has no time zones",
}

PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==(\S+)", re.MULTILINE)


@pytest.fixture(scope="session")
def declared(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text("utf-8"))


def pins(lock: Path) -> dict[str, set[Version]]:
    """Name to versions; more than one where they differ by platform or Python."""
    found: dict[str, set[Version]] = {}
    for name, version in PIN.findall(lock.read_text("utf-8")):
        found.setdefault(canonicalize_name(name), set()).add(Version(version))
    return found


def group(declared: dict, name: str) -> list[Requirement]:
    return [
        Requirement(entry)
        for entry in declared["dependency-groups"][name]
        if isinstance(entry, str)
    ]


def runtime(declared: dict) -> list[Requirement]:
    return [Requirement(entry) for entry in declared["project"]["dependencies"]]


@pytest.mark.parametrize(
    ("lock", "groups"),
    [
        ("requirements.lock", ["build"]),
        ("requirements-dev.lock", ["build", "dev"]),
        ("requirements-node.lock", ["node"]),
    ],
)
def test_lock_files_are_in_step_with_the_declared_dependencies(root, declared, lock, groups):
    wanted = [requirement for name in groups for requirement in group(declared, name)]
    if "node" not in groups:
        wanted += runtime(declared)
    pinned = pins(root / lock)
    for requirement in wanted:
        versions = pinned.get(canonicalize_name(requirement.name))
        assert versions, f"{lock} lacks {requirement.name}: run make lock"
        for version in versions:
            assert version in requirement.specifier, f"{lock}: {requirement} is pinned to {version}"


def test_development_runs_on_the_versions_that_ship(root):
    development = pins(root / "requirements-dev.lock")
    for name, versions in pins(root / "requirements.lock").items():
        assert development.get(name) == versions, f"{name} differs: run make lock"


def test_every_pin_has_a_hash(root):
    for lock in sorted(root.glob("requirements*.lock")):
        entries = re.split(r"\n(?=[A-Za-z0-9])", lock.read_text("utf-8"))
        for entry in entries:
            if PIN.match(entry):
                assert "--hash=sha256:" in entry, f"{lock.name}: {entry.splitlines()[0]}"


def imported_modules(package: Path) -> set[str]:
    modules = set()
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                modules.add(node.module.partition(".")[0])
    return modules - set(sys.stdlib_module_names) - {"casewell"}


def test_the_code_imports_what_is_declared_and_no_more(root, declared):
    names = {canonicalize_name(requirement.name) for requirement in runtime(declared)}
    owners = packages_distributions()
    imported = {}
    for module in imported_modules(root / "src" / "casewell"):
        distributions = {canonicalize_name(name) for name in owners.get(module, [])}
        assert distributions, f"{module} is imported and not installed"
        imported[module] = distributions

    undeclared = {module for module, owned in imported.items() if not owned & names}
    assert not undeclared, "imported without being declared in pyproject.toml"
    unused = names - set().union(*imported.values()) - set(LOADED_BY_OTHERS)
    assert not unused, "declared in pyproject.toml without being imported"
