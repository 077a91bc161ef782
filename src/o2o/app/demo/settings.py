"""The settings under which a demo's programs run, as their environment."""

import os
import secrets
from pathlib import Path


def demo_settings(data_dir: Path, *, port: int, sandbox_url: str) -> dict[str, str]:
    """Return them, but for the database; the secret key is made when the folder has none yet."""
    return {
        "O2O_DEMO": "1",
        "O2O_LOG_JSON": "0",
        "O2O_DATA_DIR": str(data_dir),
        "O2O_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "O2O_WECHAT_API_URL": sandbox_url,
        "O2O_WECHAT_OAUTH_URL": sandbox_url,
        "O2O_WECHAT_PAY_URL": sandbox_url,
        "O2O_WECHAT_JSSDK_URL": f"{sandbox_url}/jweixin.js",
        "O2O_SMS_PROVIDER": "sandbox",
        "O2O_SMS_URL": sandbox_url,
        "O2O_SECRET_KEY": _secret_key(data_dir / "secret_key"),
    }


def _secret_key(file: Path) -> str:
    if not file.exists():
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(f"demo-{secrets.token_urlsafe(48)}")
    return file.read_text()
