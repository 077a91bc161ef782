"""Reading settings for a command and finding the database it works on."""

import gc
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from o2o.infra.embedded_postgres import start_embedded
from o2o.infra.settings import Settings, read_settings

GARBAGE_OBJECTS = 10_000


def settings_with_database() -> Settings:
    """Read the settings; start the embedded PostgreSQL when no other is named.

    Raises SettingsWrong.
    """
    settings = read_settings()
    if settings.database_url:
        return settings
    return msgspec.structs.replace(settings, database_url=start_embedded(settings.data_dir))


@contextmanager
def uncollected() -> Generator[None, None, None]:
    """Look for no garbage while a program is imported and built: all of it is there to stay.

    That is a fifth of the time until it serves.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def collect_rarely() -> None:
    """Look at what a program was built of never again, and at what came since only now and then.

    Nearly all of that goes by itself: answers and rows leave no cycles behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_OBJECTS, *gc.get_threshold()[1:])
