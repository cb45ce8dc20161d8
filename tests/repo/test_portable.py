"""Nothing in the repository holds for one machine only."""

import json
import re

# Joined here, so that this file does not name what it forbids.
REGISTRIES = re.compile(
    "|".join(
        re.escape(host)
        for host in (
            "pypi" + ".org",
            "python" + "hosted.org",
            "npm" + "js.org",
            "npm" + "js.com",
            "yarn" + "pkg.com",
            "deb." + "debian.org",
        )
    ),
    re.IGNORECASE,
)
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:" + "|".join(["wo" + "rk", "ro" + "ot"]) + r")/\w")


def test_nothing_names_a_package_registry(text_lines):
    named = [str(line) for line in text_lines if REGISTRIES.search(line.text)]
    assert not named, "\n".join(named)


def test_nothing_names_a_folder_of_one_machine(text_lines):
    named = [str(line) for line in text_lines if MACHINE_PATH.search(line.text)]
    assert not named, "\n".join(named)


def test_python_lock_files_hold_no_address(root):
    for lock in sorted(root.glob("requirements*.lock")):
        assert "://" not in lock.read_text("utf-8"), f"{lock.name} holds an address"


def test_the_npm_lock_file_has_checksums_and_no_address(root):
    packages = json.loads((root / "package-lock.json").read_text("utf-8"))["packages"]
    for name, package in packages.items():
        if not name:
            continue
        assert "resolved" not in package, f"{name} names where it was fetched"
        assert package.get("integrity", "").startswith("sha512-"), f"{name} has no checksum"
