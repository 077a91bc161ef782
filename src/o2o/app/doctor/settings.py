"""The doctor on settings: every mistake at once, and names that mean nothing to the program."""

import difflib
import re
from collections.abc import Mapping

import msgspec

from o2o.app.doctor.report import Level, Remark, ok, warn
from o2o.infra.settings import Settings, SettingsWrong, read_settings

PREFIX = "O2O_"
# Read by the tests alone.
TEST_SETTINGS = re.compile(r"O2O_(CHROMIUM|CONTRACT_VECTORS|TEST_\w+)")
_FAULT = re.compile(r"(O2O_[A-Z_]+)(=?)")
KNOWN = [f"{PREFIX}{name.upper()}" for name in Settings.__struct_fields__]


def examine_settings(environment: Mapping[str, str]) -> tuple[Settings | None, list[Remark]]:
    """Return the settings, or None if they cannot be used, and what there is to say."""
    remarks = _unknown_names(environment)
    settings, faults = _read(environment)
    if settings is not None and not faults:
        return settings, [ok("settings.good"), *remarks]
    return None, [*[_wrong(fault) for fault in faults], *remarks]


def _read(environment: Mapping[str, str]) -> tuple[Settings | None, list[str]]:
    """Read on without what cannot be read, so that all mistakes are told in one go."""
    left = dict(environment)
    faults: list[str] = []
    while True:
        try:
            return read_settings(left), faults
        except SettingsWrong as wrong:
            found = str(wrong).splitlines()
        faults += [fault for fault in found if fault not in faults]
        unreadable = [match[1] for fault in found if (match := _FAULT.match(fault)) and match[2]]
        # Whether this is a demo decides what else is a mistake: no guessing on.
        if not unreadable or "O2O_DEMO" in unreadable:
            return None, faults
        for name in unreadable:
            del left[name]


def _wrong(fault: str) -> Remark:
    match = _FAULT.match(fault)
    name = match[1] if match else PREFIX
    return Remark(
        level=Level.FAIL,
        code="settings.wrong",
        values={"name": name, "reason": fault.rstrip(".")},
        advice={"advice": f"doctor.settings_advice.{name.removeprefix(PREFIX).lower()}"},
    )


def _unknown_names(environment: Mapping[str, str]) -> list[Remark]:
    remarks = []
    for name in sorted(environment):
        if not name.startswith(PREFIX) or name in KNOWN or TEST_SETTINGS.fullmatch(name):
            continue
        alike = difflib.get_close_matches(name, KNOWN, n=1, cutoff=0.6)
        if alike:
            remarks.append(warn("settings.misspelt", name=name, alike=alike[0]))
        else:
            remarks.append(warn("settings.unknown", name=name))
    return remarks


def with_database(settings: Settings, url: str) -> Settings:
    """Return the settings with the embedded database's address."""
    return msgspec.structs.replace(settings, database_url=url)
