"""The open loop: when requests leave, what is counted, and what becomes of those without answer."""

import asyncio

from bench.open_loop import Question, ask_when_due

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
GONE = b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"


async def asked_of(answers: dict[str, bytes], *paths: str, rate: int = 500) -> dict[str, int]:
    """Serve these answers, each in two pieces; an empty one hangs up."""
    served: list[asyncio.Task[None] | None] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(asyncio.current_task())
        while head := await reader.read(4096):
            answer = answers[head.split(b" ")[1].decode()]
            writer.write(answer[:9])
            await writer.drain()
            await asyncio.sleep(0.001)
            writer.write(answer[9:])
            if not answer:
                break
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        address = server.sockets[0].getsockname()[:2]
        questions = [Question("page", path, "a=b") for path in paths]
        answered = await ask_when_due(address, questions, rate=rate)
        # Whoever asked has closed its connections: serving them ends.
        await asyncio.gather(*(task for task in served if task is not None))
    return {one.question.path: one.status for one in answered}


async def test_each_is_asked_and_each_status_is_told() -> None:
    told = await asked_of({"/a": PAGE, "/b": GONE, "/c": PAGE}, "/a", "/b", "/c")
    assert told == {"/a": 200, "/b": 404, "/c": 200}


async def test_a_connection_that_is_lost_is_no_answer_and_the_next_gets_another() -> None:
    assert await asked_of({"/a": b"", "/b": PAGE}, "/a", "/b", rate=50) == {"/a": 0, "/b": 200}


def test_a_request_names_its_address_and_cookie() -> None:
    sent = Question("page", "/h5/a/card", "o2o_diner=1").text.decode()
    assert sent.startswith("GET /h5/a/card HTTP/1.1\r\n")
    assert "\r\nCookie: o2o_diner=1\r\n" in sent
    assert sent.endswith("\r\n\r\n")
