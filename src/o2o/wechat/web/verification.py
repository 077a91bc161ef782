"""The files by which WeChat's console believes that a domain is ours: `/MP_verify_….txt`.

Only files that somebody put into the data directory are served. Answering any name with its own
middle, which is what such a file holds, would let strangers claim our domain for their accounts.
"""

import re
from pathlib import Path

from litestar import MediaType, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from o2o.infra.settings import Settings
from o2o.web.errors import RouteNotFound

FOLDER = "verify"
NAME = re.compile(r"(?:MP|WW)_verify_[0-9A-Za-z]{8,64}\.txt")
BYTES_MAX = 1024


def verification_file(data_dir: Path, name: str) -> Path:
    """Return where a file is kept. Raises ValueError for a name that WeChat does not use."""
    if NAME.fullmatch(name) is None:
        raise ValueError(name)
    return data_dir / FOLDER / name


@get("/{name:str}", media_type=MediaType.TEXT, include_in_schema=False, sync_to_thread=False)
def show_verification(name: FromPath[str], settings: NamedDependency[Settings]) -> Response[bytes]:
    """Serve one file as it is. Raises RouteNotFound."""
    try:
        content = verification_file(settings.data_dir, name).read_bytes()
    except (ValueError, OSError):
        raise RouteNotFound from None
    return Response(content[:BYTES_MAX], media_type="text/plain")
