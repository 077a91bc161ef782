"""Ends this program when the process that started it dies, so that no port stays taken."""

import os
import signal
import threading
import time

WATCH_SECONDS = 0.5


def leave_with_parent() -> None:
    """Watch the parent from a thread; ask this program to end when it is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="leave-with-parent", daemon=True).start()
