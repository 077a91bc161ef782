"""The command line before any command runs: help, version, slips, settings that cannot work."""

import subprocess
import sys

from o2o import __version__
from tests.integration.app.programs import ROOT, Installation, plain_environment

NOTHING_SET = Installation()


def test_help_lists_every_command_and_imports_no_web_framework() -> None:
    code = (
        "import sys\n"
        "from o2o.app.cli import COMMANDS, cli\n"
        "cli.main(['--help'], standalone_mode=False)\n"
        "heavy = {'litestar', 'sqlalchemy', 'wechatpy', 'granian', 'httpx', 'jinja2'}\n"
        "print(sorted(heavy & set(sys.modules)), sorted(COMMANDS))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        env=plain_environment(),
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    *lines, last = ended.stdout.splitlines()
    listed = [line.split()[0] for line in lines if line.startswith("  ") and line.split()]
    names = [
        *("demo", "serve", "worker", "migrate", "doctor", "ledger", "outbox"),
        *("account", "store", "staff", "key", "import", "bridge", "openapi"),
    ]
    assert [name for name in listed if name in names] == names
    assert last == f"[] {sorted(names)}"


def test_version() -> None:
    assert NOTHING_SET.done("--version") == f"o2o {__version__}\n"


def test_every_command_explains_itself() -> None:
    code = (
        "import click\n"
        "from o2o.app.cli import COMMANDS, cli\n"
        "for name in COMMANDS:\n"
        "    command = cli.get_command(None, name)\n"
        "    assert command.help, name\n"
        "    for inner in getattr(command, 'commands', {}).values():\n"
        "        assert inner.help, (name, inner.name)\n"
    )
    subprocess.run([sys.executable, "-c", code], env=plain_environment(), cwd=ROOT, check=True)


def test_unknown_command() -> None:
    ended = NOTHING_SET.run("doktor")
    assert ended.returncode == 2
    assert "No such command 'doktor'" in ended.stderr
    assert ended.stdout == ""


def test_settings_that_cannot_work_end_a_command_with_sentences() -> None:
    ended = Installation(secret_key="short", pool_size="99").run("migrate")
    assert ended.returncode == 78
    assert ended.stdout == ""
    assert [line.split(" ")[0] for line in ended.stderr.splitlines()] == [
        "O2O_SECRET_KEY",
        "O2O_POOL_SIZE",
    ]


def test_the_doctor_tells_every_wrong_setting_at_once() -> None:
    wrong = Installation(
        port="abc",
        public_url="o2o.example.com",
        secret_key="short",
        wechat_api_url="http://127.0.0.1:8001",
        public_uri="https://o2o.example.com",
    )
    status, findings = wrong.examine()
    assert status == 1
    assert [(one["level"], one["code"], one["what"].split(" ")[0]) for one in findings] == [
        ("fail", "settings.wrong", "O2O_PUBLIC_URL='o2o.example.com'"),
        ("fail", "settings.wrong", "O2O_PORT='abc'"),
        ("fail", "settings.wrong", "O2O_SECRET_KEY"),
        ("fail", "settings.wrong", "O2O_WECHAT_API_URL"),
        ("warn", "settings.misspelt", "there"),
    ]
    assert findings[-1]["action"] == "did you mean O2O_PUBLIC_URL?"


def test_the_doctor_speaks_the_terminals_language() -> None:
    chinese = NOTHING_SET.run("doctor", env={"LANG": "zh_CN.UTF-8"})
    english = NOTHING_SET.run("doctor", env={"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB.UTF-8"})
    chosen = NOTHING_SET.run("doctor", "--lang", "zh_CN", env={"LANG": "C"})
    assert chinese.returncode == english.returncode == chosen.returncode == 1
    assert chinese.stdout == chosen.stdout
    assert chinese.stdout.startswith("fail  设置有误：O2O_SECRET_KEY")
    assert english.stdout.startswith("fail  O2O_SECRET_KEY needs at least 32 characters")
    assert chinese.stderr == english.stderr == ""
