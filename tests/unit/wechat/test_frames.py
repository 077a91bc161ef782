"""Spool frames: whole ones come back exactly, torn and altered ones end the reading."""

from hypothesis import given
from hypothesis import strategies as st

from o2o.wechat.spool.frames import SpoolRecord, encode_frame, read_frames


def record(number: int, content: str = "你好") -> SpoolRecord:
    return SpoolRecord("acct", f"o{number}", {"Content": content}, "1763611200", "n", number)


@given(st.lists(st.text(), max_size=5))
def test_what_is_written_is_read(contents: list[str]) -> None:
    records = [record(number, content) for number, content in enumerate(contents)]
    content = b"".join(encode_frame(one) for one in records)
    assert [one for one, _ in read_frames(content)] == records


@given(st.integers(1, 200))
def test_a_torn_tail_costs_only_its_own_frame(missing: int) -> None:
    whole, last = encode_frame(record(1)), encode_frame(record(2))
    content = (whole + last)[: -min(missing, len(last))]
    assert list(read_frames(content)) == [(record(1), len(whole))]


@given(st.data())
def test_an_altered_byte_is_seen(data: st.DataObject) -> None:
    content = bytearray(encode_frame(record(1)))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    assert list(read_frames(bytes(content))) == []


def test_reading_goes_on_from_an_offset() -> None:
    first, second = encode_frame(record(1)), encode_frame(record(2))
    [(read, end)] = read_frames(first + second, len(first))
    assert (read, end) == (record(2), len(first) + len(second))
