"""Lets `python -m wechat_sandbox` do what the console script does."""

from wechat_sandbox.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
