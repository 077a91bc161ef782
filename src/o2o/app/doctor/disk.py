"""The doctor on the disk: the data directory, who may read it, and the spool of messages."""

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path

from o2o.app.doctor.report import Remark, fail, ok, warn
from o2o.infra.settings import Settings
from o2o.wechat.spool.drain import REJECTED_SUFFIX, TORN_SUFFIX
from o2o.wechat.spool.frames import SUFFIX

FREE_BYTES_MIN = 200 << 20
FREE_BYTES_GOOD = 2 << 30
# The drain comes by four times a second; what is older than this waits for something.
SPOOLED_SECONDS_MAX = 60.0
MIB = 1 << 20


def examine_disk(settings: Settings) -> list[Remark]:
    """Say whether callbacks could be kept on disk and whether any lie there."""
    folder = settings.data_dir
    if not folder.is_dir():
        if folder.exists():
            return [fail("disk.not_a_folder", folder=str(folder))]
        return [fail("disk.missing", folder=str(folder))]
    if (reason := _why_not_writable(folder)) is not None:
        return [fail("disk.not_writable", folder=str(folder), reason=reason)]
    return [
        ok("disk.writable", folder=str(folder)),
        *_permissions(folder, settings),
        *_room(folder),
        *_spool(folder / "spool"),
    ]


def _why_not_writable(folder: Path) -> str | None:
    """Write and sync a file as the spool does; a read-only mount is not seen in any other way."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"o2o")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        return error.strerror or type(error).__name__
    return None


def _permissions(folder: Path, settings: Settings) -> list[Remark]:
    mode = folder.stat().st_mode
    if mode & stat.S_IWOTH:
        return [fail("disk.open_to_write", folder=str(folder))]
    if mode & (stat.S_IRWXG | stat.S_IRWXO) and not settings.demo:
        return [warn("disk.open_to_read", folder=str(folder))]
    return []


def _room(folder: Path) -> list[Remark]:
    free = shutil.disk_usage(folder).free
    if free < FREE_BYTES_MIN:
        return [fail("disk.full", folder=str(folder), mib=str(free // MIB))]
    if free < FREE_BYTES_GOOD:
        return [warn("disk.filling", folder=str(folder), mib=str(free // MIB))]
    return []


def _spool(folder: Path) -> list[Remark]:
    if not folder.exists():
        return [ok("spool.empty")]
    if (reason := _why_not_writable(folder)) is not None:
        return [fail("disk.not_writable", folder=str(folder), reason=reason)]
    remarks = []
    aside = [file for end in (REJECTED_SUFFIX, TORN_SUFFIX) for file in folder.glob(f"*{end}")]
    if aside:
        remarks.append(warn("spool.set_aside", folder=str(folder), count=str(len(aside))))
    waiting = [file for file in folder.glob(f"*{SUFFIX}") if _age(file) > SPOOLED_SECONDS_MAX]
    if waiting:
        remarks.append(fail("spool.waiting", folder=str(folder), count=str(len(waiting))))
    return remarks or [ok("spool.empty")]


def _age(file: Path) -> float:
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        # The drain was faster.
        return 0.0
