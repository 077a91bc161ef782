"""The load of the bench: reading answers, and a round against a small server."""

import asyncio

import pytest

from bench.load import Target, content_length, run_round


@pytest.mark.parametrize(
    "head,expected",
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 12", 12),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length:0\r\nX: y", 0),
        (b"HTTP/1.1 200 OK\r\nCONTENT-LENGTH: 7", None),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked", None),
    ],
)
def test_content_length_as_servers_write_it(head: bytes, expected: int | None) -> None:
    assert content_length(head + b"\r\n\r\nbody", len(head)) == expected


class Answers:
    """A server that answers every request, in two pieces, with what it is told."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = answers
        self.asked = 0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1024):
            answer = self.answers[self.asked % len(self.answers)]
            self.asked += 1
            if not answer:
                break
            half = len(answer) // 2
            writer.write(answer[:half])
            await writer.drain()
            await asyncio.sleep(0)
            writer.write(answer[half:])
        writer.close()


async def _round(
    answers: Answers, requests: int, *, connections: int = 3
) -> tuple[int, dict[str, int]]:
    server = await asyncio.start_server(answers, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        target = Target(name="x", url=f"http://127.0.0.1:{port}", holds=b"yes")
        one = await run_round(target, [b"ask"] * requests, seconds=5, connections=connections)
    return one.answered, one.errors


async def test_every_request_is_sent_once_and_every_answer_is_counted() -> None:
    answers = Answers(b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes")

    assert await _round(answers, 20) == (20, {})
    assert answers.asked == 20


async def test_wrong_answers_are_errors_and_no_latencies() -> None:
    answers = Answers(
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nyes",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno",
        b"HTTP/1.1 503 Busy\r\ncontent-length: 3\r\n\r\nyes",
    )

    assert await _round(answers, 6, connections=1) == (2, {"status 200": 2, "status 503": 2})


async def test_an_answer_that_never_comes_is_an_error() -> None:
    assert await _round(Answers(b""), 2, connections=2) == (0, {"connection lost": 2})
