"""Text messages: taken from a provider's hand, once by id, read by whoever has the number."""

from tests.contract.sandbox.conftest import Shop


def test_a_message_reaches_the_phone_with_the_number_once(shop: Shop) -> None:
    person = shop.http.post("/_sandbox/people", json={"name": "甲", "phone": "13700000001"}).json()
    other = shop.http.post("/_sandbox/people", json={"name": "乙", "phone": "13700000002"}).json()
    message = {"phone": "13700000001", "sender": "店", "text": "042137", "message_id": "sms-1"}

    taken = [shop.http.post("/_sandbox/sms", json=message).json() for _ in range(2)]

    assert [answer["repeated"] for answer in taken] == [False, True]
    [shown] = shop.http.get(f"/_sandbox/people/{person['id']}/sms").json()["messages"]
    assert (shown["sender"], shown["text"]) == ("店", "042137")
    assert shop.http.get(f"/_sandbox/people/{other['id']}/sms").json() == {"messages": []}


def test_what_is_no_message_is_refused(shop: Shop) -> None:
    for body in ({"phone": "123", "text": "x"}, {"phone": "13700000001", "text": ""}):
        assert shop.http.post("/_sandbox/sms", json=body).status_code == 400
