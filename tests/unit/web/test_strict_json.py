"""A JSON body is what it says, once, in the types it must have."""

from uuid import UUID

import msgspec
import pytest

from o2o.web.errors import FieldNotAllowed, JSONBroken, RequestInvalid
from o2o.web.strict_json import check_json


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    count: int


class Body(msgspec.Struct, forbid_unknown_fields=True):
    request_id: UUID
    amount_fen: int
    inner: Inner | None = None


REQUEST_ID = b'"request_id":"01890a5d-ac96-774b-bcce-b302099a8057"'


def body(rest: bytes) -> bytes:
    return b"{" + REQUEST_ID + rest + b"}"


@pytest.mark.parametrize("rest", [b',"amount_fen":1', b',"amount_fen":1,"inner":{"count":2}'])
def test_what_fits_passes(rest: bytes) -> None:
    check_json(body(rest), Body)


@pytest.mark.parametrize(
    "given",
    [
        b"",
        b" ",
        b"{",
        b"\xff\xfe",
        body(b',"amount_fen":1').decode().encode("utf-16"),
        body(b',"amount_fen":NaN'),
        body(b',"amount_fen":1') + b"x",
        body(b',"amount_fen":1,"amount_fen":1'),
        body(b',"amount_fen":"1","amount_fen":1'),
        body(b',"amount_fen":1,"\\u0061mount_fen":2'),
        body(b',"amount_fen":1,"inner":{"count":1,"count":2}'),
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    ],
    ids=range(14),
)
def test_what_is_no_json_or_says_a_name_twice(given: bytes) -> None:
    with pytest.raises(JSONBroken):
        check_json(given, Body)


@pytest.mark.parametrize(
    "rest, field",
    [
        (b"", "amount_fen"),
        (b',"amount_fen":"1"', "amount_fen"),
        (b',"amount_fen":1.0', "amount_fen"),
        (b',"amount_fen":true', "amount_fen"),
        (b',"amount_fen":null', "amount_fen"),
        (b',"amount_fen":' + b"9" * 5_000, "amount_fen"),
        (b',"amount_fen":1,"inner":{"count":"1"}', "inner.count"),
        (b',"amount_fen":1,"inner":{}', "count"),
    ],
)
def test_what_does_not_fit_names_its_field(rest: bytes, field: str) -> None:
    with pytest.raises(RequestInvalid) as refused:
        check_json(body(rest), Body)

    assert refused.value.field == field


@pytest.mark.parametrize("given", [b"[]", b"null", b'"x"', b"1"])
def test_other_kinds_of_body(given: bytes) -> None:
    with pytest.raises(RequestInvalid) as refused:
        check_json(given, Body)

    assert refused.value.field == "body"


@pytest.mark.parametrize(
    "rest, field",
    [(b',"amount_fen":1,"is_admin":1', "is_admin"), (b',"amount_fen":1,"inner":{"x":1}', "x")],
)
def test_fields_that_nobody_may_send(rest: bytes, field: str) -> None:
    with pytest.raises(FieldNotAllowed) as refused:
        check_json(body(rest), Body)

    assert refused.value.field == field
