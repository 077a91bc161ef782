"""The commands that the project promises exist, explain themselves, and fail with a sentence."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, project_files

PROMISED = {
    "help",
    "run",
    "test",
    "test-fast",
    "check",
    "lint",
    "types",
    "imports",
    "bench",
    "chaos",
    "migration",
    "migrate",
    "docs-check",
}
SYSTEM_TOOLS = ("env", "bash", "cat", "dirname", "id", "sh")


def stub(folder: Path, name: str, body: str) -> Path:
    """A program of one name that does what `body` says."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def run(script: str, *, path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a script of ours with only the programs in `path` and a few of the system's."""
    for tool in SYSTEM_TOOLS:
        found = next(p for p in ("/usr/bin", "/bin") if (Path(p) / tool).exists())
        if not (path / tool).exists():
            (path / tool).symlink_to(Path(found) / tool)
    chosen = {"O2O_CHROMIUM", "O2O_PYTHON"}
    kept = {name: value for name, value in os.environ.items() if name not in chosen}
    return subprocess.run(
        [ROOT / "scripts" / script],
        cwd=path,
        env=kept | {"PATH": str(path)} | environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def test_every_promised_command_exists_and_explains_itself() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    explained = set(re.findall(r"^([a-z-]+):[^#\n]*## \S", makefile, re.MULTILINE))
    assert sorted(PROMISED - explained) == []


@pytest.mark.parametrize(
    "name", [".ci/run", *(n for n in project_files() if re.fullmatch(r"scripts/.*\.sh", n))]
)
def test_scripts_can_be_run_and_stop_at_the_first_failure(name: str) -> None:
    assert os.access(ROOT / name, os.X_OK)
    assert "\nset -euo pipefail\n" in (ROOT / name).read_text(encoding="utf-8")


def test_locks_are_hashed_and_name_no_source() -> None:
    for name in ("requirements.lock", "requirements-dev.lock", "scripts/requirements-node.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = re.findall(r"^[a-z0-9][\w.\[\],-]*==\S+", text, re.MULTILINE)
        hashed = re.findall(r"^\S+==[^#]*?(?:;[^\\]*)?\\\n\s+--hash=", text, re.MULTILINE)
        assert pins
        assert len(hashed) == len(pins), name
        assert re.search(r"--(extra-)?index-url|--find-links|https?://", text) is None
    front_end = (ROOT / "webviews" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in front_end


def test_developers_have_every_pin_of_the_product() -> None:
    def pins(name: str) -> set[str]:
        text = (ROOT / name).read_text(encoding="utf-8")
        return set(re.findall(r"^[a-z0-9][\w.\[\],-]*==[^\s;\\]+", text, re.MULTILINE))

    assert pins("requirements.lock") - pins("requirements-dev.lock") == set()


def test_the_first_python_that_is_new_enough_is_taken(tmp_path: Path) -> None:
    stub(tmp_path, "python3", "exit 1")
    stub(tmp_path, "python3.12", "echo whole /new/python")
    stub(tmp_path, "python3.11", "echo whole /other/python")
    told = run("find_python.sh", path=tmp_path)
    assert (told.returncode, told.stdout) == (0, "/new/python\n")


def test_a_python_in_one_piece_is_preferred_wherever_it_is(tmp_path: Path) -> None:
    later = tmp_path / "later"
    later.mkdir()
    stub(tmp_path, "python3", "echo apart /managed/python")
    told = run("find_python.sh", path=tmp_path)
    assert (told.returncode, told.stdout) == (0, "/managed/python\n")
    stub(later, "python3", "echo whole '/system python'")
    told = run("find_python.sh", path=tmp_path, PATH=f"{tmp_path}:{later}")
    assert (told.returncode, told.stdout) == (0, "/system python\n")


def test_the_python_that_runs_this_tells_how_it_was_built(tmp_path: Path) -> None:
    maps = Path("/proc/self/maps")
    is_apart = maps.exists() and "libpython" in maps.read_text(encoding="utf-8")
    # The one that should win is asked last. The first would take what is not for it to read.
    first, last = ("real", "other") if is_apart else ("other", "real")
    stubs = {
        "real": f'cat; exec "{sys.executable}" "$@"',
        "other": f"cat; echo {'whole' if is_apart else 'apart'} /other/python",
    }
    stub(tmp_path, "python3", stubs[first])
    stub(tmp_path, "python3.11", stubs[last])
    told = run("find_python.sh", path=tmp_path)
    wanted = "/other/python" if is_apart else sys.executable
    assert (told.returncode, told.stdout) == (0, f"{wanted}\n")


def test_a_python_named_by_setting_comes_first(tmp_path: Path) -> None:
    stub(tmp_path, "python3", "echo whole /new/python")
    mine = stub(tmp_path, "mine", "echo apart /managed/python")
    told = run("find_python.sh", path=tmp_path, O2O_PYTHON=str(mine))
    assert (told.returncode, told.stdout) == (0, "/managed/python\n")
    stub(tmp_path, "mine", "exit 1")
    told = run("find_python.sh", path=tmp_path, O2O_PYTHON=str(mine))
    assert (told.returncode, told.stdout) == (1, "")
    assert f"O2O_PYTHON is {mine}, which is not Python 3.11 or newer" in told.stderr


def test_an_old_python_is_refused_with_a_sentence(tmp_path: Path) -> None:
    stub(tmp_path, "python3", "exit 1")
    told = run("find_python.sh", path=tmp_path)
    assert told.returncode == 1
    assert "None of python3 is Python 3.11 or newer" in told.stderr


def test_a_chromium_named_by_setting_comes_first(tmp_path: Path) -> None:
    chosen = stub(tmp_path, "mine", "exit 0")
    stub(tmp_path, "chromium", "exit 0")
    told = run("find_chromium.sh", path=tmp_path, O2O_CHROMIUM=str(chosen))
    assert (told.returncode, told.stdout) == (0, f"{chosen}\n")


def test_a_chromium_that_does_not_run_is_no_chromium(tmp_path: Path) -> None:
    stub(tmp_path, "chromium", "exit 1")
    works = stub(tmp_path, "google-chrome", "exit 0")
    told = run("find_chromium.sh", path=tmp_path)
    assert (told.returncode, told.stdout) == (0, f"{works}\n")
    told = run("find_chromium.sh", path=tmp_path, O2O_CHROMIUM=str(tmp_path / "absent"))
    assert told.returncode == 1
    assert "does not run" in told.stderr


def test_a_missing_chromium_is_installed(tmp_path: Path) -> None:
    """A package manager that brings one: no real one is touched."""
    installed = tmp_path / "chromium"
    stub(tmp_path, "id", "echo 0")
    stub(
        tmp_path,
        "apt-get",
        f"case \"$*\" in *chromium*) ln -s '{tmp_path}/works' '{installed}';; esac",
    )
    (tmp_path / "ln").symlink_to("/bin/ln")
    stub(tmp_path, "works", "exit 0")
    told = run("find_chromium.sh", path=tmp_path)
    assert (told.returncode, told.stdout) == (0, f"{installed}\n")


@pytest.mark.parametrize("fonts, asked", [("", True), ("NotoSansCJK.ttc: Noto Sans CJK", False)])
def test_a_missing_chinese_font_is_installed_beside_a_chromium_that_is_there(
    tmp_path: Path, fonts: str, *, asked: bool
) -> None:
    chromium = stub(tmp_path, "chromium", "exit 0")
    stub(tmp_path, "id", "echo 0")
    stub(tmp_path, "fc-list", f"echo '{fonts}'" if fonts else "exit 0")
    log = tmp_path / "asked"
    log.touch()
    stub(tmp_path, "apt-get", f"echo \"$*\" >> '{log}'")
    told = run("find_chromium.sh", path=tmp_path)
    assert (told.returncode, told.stdout) == (0, f"{chromium}\n")
    assert ("fonts-noto-cjk" in log.read_text(encoding="utf-8")) is asked


def test_no_chromium_at_all_fails_with_a_sentence(tmp_path: Path) -> None:
    stub(tmp_path, "id", "echo 1000")
    told = run("find_chromium.sh", path=tmp_path)
    assert told.returncode == 1
    assert told.stdout == ""
    assert "No Chromium for the browser tests" in told.stderr
