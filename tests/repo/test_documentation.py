"""The documentation says what is there."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

LINK = re.compile(r"!?\[[^\]]*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
VARIABLE = re.compile(r"\bCASEWELL_[A-Z0-9_]+\b")


@pytest.fixture(scope="session")
def pages(repository_files) -> list[Path]:
    return [path for path in repository_files if path.suffix == ".md"]


def anchors(page: Path) -> set[str]:
    """The ids that the usual readers of Markdown give to headings."""
    found = set()
    for heading in HEADING.findall(CODE_BLOCK.sub("", page.read_text("utf-8"))):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
        found.add(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-"))
    return found


def test_every_link_leads_somewhere(root, pages):
    broken = []
    for page in pages:
        for target in LINK.findall(CODE_BLOCK.sub("", page.read_text("utf-8"))):
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            path, _, anchor = target.partition("#")
            goal = (page.parent / path).resolve() if path else page
            where = f"{page.relative_to(root)}: {target}"
            if not goal.exists():
                broken.append(where)
            elif anchor and goal.suffix == ".md" and anchor not in anchors(goal):
                broken.append(f"{where} (no such heading)")
    assert not broken, "\n".join(broken)


def test_every_setting_is_documented_and_every_documented_one_exists(root):
    from casewell.kernel.settings import Settings

    settings = {f"CASEWELL_{name.upper()}" for name in Settings.model_fields}
    documented = set(VARIABLE.findall((root / "docs" / "configuration.md").read_text("utf-8")))
    assert settings <= documented, f"not in docs/configuration.md: {sorted(settings - documented)}"
    unknown = {name for name in documented if name.removesuffix("_FILE") not in settings}
    assert not unknown, f"no such setting: {sorted(unknown)}"


def test_other_pages_name_only_settings_that_exist(root, pages):
    from casewell.kernel.settings import Settings

    settings = {f"CASEWELL_{name.upper()}" for name in Settings.model_fields}
    unknown = [
        f"{page.relative_to(root)}: {name}"
        for page in pages
        for name in VARIABLE.findall(page.read_text("utf-8"))
        if not name.startswith("CASEWELL_TEST_") and name.removesuffix("_FILE") not in settings
    ]
    assert not unknown, "\n".join(unknown)


def test_make_help_lists_every_target(root):
    if shutil.which("make") is None:
        pytest.skip("no make on this machine")
    targets = set(
        re.findall(r"^\.PHONY: ([\w-]+)$", (root / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    listed = subprocess.run(
        ["make", "help"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    missing = {target for target in targets if f"make {target} " not in listed}
    assert targets
    assert not missing


def test_the_readme_names_its_two_commands_and_every_page_of_the_documentation(root):
    readme = (root / "README.md").read_text("utf-8")
    assert "make run" in readme
    assert "make test" in readme
    unlinked = [
        page.name for page in (root / "docs").glob("*.md") if f"docs/{page.name}" not in readme
    ]
    assert not unlinked
