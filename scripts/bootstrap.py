"""Make the virtual environment hold exactly what a lock file says, and the project itself.

Run by whatever Python the machine has, so only the standard library is used. What was installed is
remembered by content hash: a second call with the same lock costs one comparison.
"""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
INSTALLED = VENV / "installed.json"

# The developers' lock holds every pin of the runtime's, so it stands for both.
LOCKS = {
    "run": ["requirements.lock"],
    "dev": ["requirements-dev.lock", "requirements.lock"],
}

WRAPPER = """#!{python}
import sys

from {module} import {function}

sys.exit({function}())
"""


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two `make` in one tree wait for each other instead of installing over each other."""
    descriptor = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def digest(*paths: Path) -> str:
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in paths)).hexdigest()


def is_usable() -> bool:
    """A copied or half-made environment does not run, or has no pip of its own."""
    if not PYTHON.exists():
        return False
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))"
    told = subprocess.run(
        [PYTHON, "-c", probe], check=False, capture_output=True, env=clean_environment()
    )
    return told.returncode == 0


def clean_environment() -> dict[str, str]:
    """Without settings that would lead pip or Python away from this environment."""
    dropped = {"PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "VIRTUAL_ENV"}
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return kept | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def make_environment() -> None:
    print("Making .venv …", flush=True)
    if VENV.exists():
        shutil.rmtree(VENV)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True, env=clean_environment())


def install(lock: Path) -> None:
    print(f"Installing {lock.name} …", flush=True)
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(lock)]
    subprocess.run(command, check=True, cwd=ROOT, env=clean_environment())


def link_project() -> None:
    """Put `src` on the path and write the commands of pyproject.toml.

    By hand, because an editable install would ask an index for the build backend first.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = subprocess.run(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        check=True,
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    (Path(site.stdout.strip()) / "project.pth").write_text(f"{ROOT / 'src'}\n", encoding="utf-8")
    for name, target in project["scripts"].items():
        module, _, function = target.partition(":")
        script = VENV / "bin" / name
        script.write_text(
            WRAPPER.format(python=PYTHON, module=module, function=function), encoding="utf-8"
        )
        script.chmod(0o755)


def wanted_state(kind: str) -> dict[str, str]:
    """What `installed.json` says when the environment needs nothing."""
    locks = {name: digest(ROOT / name) for name in LOCKS[kind]}
    project = digest(ROOT / "pyproject.toml", Path(__file__))
    return locks | {"project": project, "at": str(ROOT)}


def installed_state() -> dict[str, str]:
    if not (INSTALLED.exists() and PYTHON.exists()):
        return {}
    state: dict[str, str] = json.loads(INSTALLED.read_text(encoding="utf-8"))
    return state


def is_ready(kind: str) -> bool:
    """Whether a call would have nothing to do."""
    return wanted_state(kind).items() <= installed_state().items()


def bring_up(kind: str) -> None:
    with one_at_a_time():
        if is_ready(kind):
            return
        wanted, installed = wanted_state(kind), installed_state()
        if installed.get("at") not in (None, str(ROOT)) or not is_usable():
            make_environment()
            installed = {}
        main_lock = LOCKS[kind][0]
        if installed.get(main_lock) != wanted[main_lock]:
            # From here until the end the environment holds neither the old nor the new set.
            INSTALLED.unlink(missing_ok=True)
            install(ROOT / main_lock)
        link_project()
        kept = installed if kind == "run" else {}
        INSTALLED.write_text(json.dumps(kept | wanted, indent=1), encoding="utf-8")


if __name__ == "__main__":
    *only_ask, asked_kind = sys.argv[1:]
    if only_ask:
        sys.exit(not is_ready(asked_kind))
    try:
        bring_up(asked_kind)
    except subprocess.CalledProcessError as failed:
        command = " ".join(map(str, failed.cmd))
        sys.exit(f"Setting up stopped: {command} ended with {failed.returncode}.")
