"""Which language a request wants: its own choice, else the browser's, else Chinese."""

from typing import Any

from o2o.web.copy import DEFAULT_LANGUAGE, LANGUAGES

COOKIE = "o2o_lang"


def language_of(connection: Any) -> str:
    """Return the language of a connection: `?lang=`, cookie, Accept-Language, Chinese."""
    for wanted in (connection.query_params.get("lang"), connection.cookies.get(COOKIE)):
        if wanted in LANGUAGES:
            return str(wanted)
    accepted = connection.headers.get("accept-language", "").lower()
    first = accepted.split(",")[0].strip()
    return "en" if first.startswith("en") else DEFAULT_LANGUAGE
