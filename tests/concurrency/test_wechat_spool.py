"""The spool under kill -9: whatever was acknowledged is there, whole and readable."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from o2o.wechat.spool.drain import _taken
from o2o.wechat.spool.frames import read_frames

ROOT = Path(__file__).parents[2]
KILL_AFTER = 150
WRITER = """
import asyncio, sys
from pathlib import Path
from o2o.wechat.spool.frames import SpoolRecord
from o2o.wechat.spool.writer import SpoolWriter

async def push(writer, lane):
    number = lane
    while True:
        fields = {"Content": "x" * (number % 500)}
        await writer.append(SpoolRecord("acct", f"o{lane}", fields, "1", str(number), number))
        print(number, flush=True)
        number += 16

async def main():
    writer = SpoolWriter(Path(sys.argv[1]))
    await asyncio.gather(*(push(writer, lane) for lane in range(16)))

asyncio.run(main())
"""


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(tmp_path: Path) -> None:
    for round_ in range(4):
        folder = tmp_path / str(round_)
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        )
        assert process.stdout is not None
        acknowledged = {int(process.stdout.readline()) for _ in range(KILL_AFTER + 7 * round_)}
        process.send_signal(signal.SIGKILL)
        acknowledged |= {int(line) for line in process.stdout if line.endswith("\n")}
        process.stdout.close()
        process.wait()

        kept: set[int] = set()
        for file in folder.glob("*.spool"):
            with _taken(file) as is_taken:
                assert is_taken, "a dead writer holds no lock"
            kept |= {record.received_ns for record, _ in read_frames(file.read_bytes())}
        assert acknowledged <= kept
        assert len(acknowledged) >= KILL_AFTER
