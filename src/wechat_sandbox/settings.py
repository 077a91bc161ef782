"""What the command line decides: where the sandbox listens, keeps its state, who may steer it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """`public_url` is the address people's browsers see, without a final slash."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int = 8001
    control_token: str | None = None
    webview_cookies: tuple[str, ...] = ()
    public_url: str = "http://127.0.0.1:8001"
