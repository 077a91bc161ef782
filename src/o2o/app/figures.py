"""Where the processes of one server share their metrics: a folder, named before any import."""

import os
import tempfile

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def share_figures() -> str:
    """Choose the folder for this server and its children; return it.

    The metrics library looks at the variable once, when it is first imported.
    """
    folder = os.environ.get(VARIABLE) or tempfile.mkdtemp(prefix="o2o-metrics-")
    os.environ[VARIABLE] = folder
    return folder
