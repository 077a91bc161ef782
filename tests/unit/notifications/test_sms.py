"""Text messages: the signature, what answers mean, and an errand that tells nobody the digits."""

import logging
from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from o2o.infra.seal import Seal
from o2o.infra.settings import Settings, SettingsWrong, SMSProvider, read_settings
from o2o.infra.subscriptions import Later, Never
from o2o.kernel.ids import new_id
from o2o.notifications.actions.queue_code import SEAL_LABEL, QueuedCode
from o2o.notifications.sms.choice import choose_sender
from o2o.notifications.sms.port import CodeMessage
from o2o.notifications.sms.sandbox import SandboxSMS
from o2o.notifications.sms.signing import authorization
from o2o.notifications.sms.tencent import TencentSMS
from o2o.notifications.sms_errand import SMSErrands
from o2o.web.copy import Words
from tests.fakes.clock import NOON, FakeClock

MESSAGE = CodeMessage(phone="13800010001", code="042137", minutes=5, message_id="m-1")
SETTINGS = Settings(
    secret_key="k" * 40,
    sms_provider=SMSProvider.TENCENT,
    sms_secret_id="AKIDEXAMPLE",
    sms_secret_key="the key",
    sms_app_id="1400006666",
    sms_sign_name="江南小灶",
    sms_template_id="1234",
)
Answer = Callable[[httpx.Request], httpx.Response]


def tencent(answer: Answer, clock: FakeClock) -> TencentSMS:
    return TencentSMS(SETTINGS, clock=clock, transport=httpx.MockTransport(answer))


def answering(body: object, status: int = 200) -> Answer:
    return lambda _: httpx.Response(status, json=body)


def told(code: str) -> dict[str, Any]:
    return {"Response": {"SendStatusSet": [{"Code": code, "Message": "x"}], "RequestId": "r"}}


def test_the_signature_is_that_of_the_providers_documentation() -> None:
    # The worked example of "Signature v3"; its keys are printed as stars.
    body = (
        b'{"Limit": 1, "Filters": [{"Values": ["\\u672a\\u547d\\u540d"], "Name": "instance-name"}]}'
    )
    signed = authorization(
        secret_id="AKID********************************",
        secret_key="*" * 32,
        service="cvm",
        host="cvm.tencentcloudapi.com",
        action="DescribeInstances",
        body=body,
        at=1_551_113_065,
    )
    assert signed == (
        "TC3-HMAC-SHA256"
        " Credential=AKID********************************/2019-02-25/cvm/tc3_request,"
        " SignedHeaders=content-type;host;x-tc-action,"
        " Signature=10b1a37a7301a02ca19a647ad722d5e43b4b3cff309d421d85b46093f6ab6c4f"
    )


async def test_one_message_leaves_signed_with_the_template_filled_in(clock: FakeClock) -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=told("Ok"))

    sender = tencent(answer, clock)
    await sender.send(MESSAGE)
    await sender.close()

    [request] = asked
    assert (request.method, str(request.url)) == ("POST", "https://sms.tencentcloudapi.com/")
    assert msgspec.json.decode(request.content) == {
        "PhoneNumberSet": ["+8613800010001"],
        "SmsSdkAppId": "1400006666",
        "SignName": "江南小灶",
        "TemplateId": "1234",
        "TemplateParamSet": ["042137", "5"],
        "SessionContext": "m-1",
    }
    assert request.headers["x-tc-action"] == "SendSms"
    assert request.headers["x-tc-version"] == "2021-01-11"
    assert request.headers["x-tc-region"] == "ap-guangzhou"
    assert request.headers["x-tc-timestamp"] == str(int(NOON.timestamp()))
    assert request.headers["authorization"] == authorization(
        secret_id="AKIDEXAMPLE",
        secret_key="the key",
        service="sms",
        host="sms.tencentcloudapi.com",
        action="SendSms",
        body=request.content,
        at=int(NOON.timestamp()),
    )


@pytest.mark.parametrize(
    "answer,outcome",
    [
        (answering(told("InternalError.Timeout")), Later),
        (answering(told("LimitExceeded.PhoneNumberThirtySecondLimit")), Later),
        (answering(told("LimitExceeded.PhoneNumberDailyLimit")), Never),
        (
            answering({"Response": {"Error": {"Code": "RequestLimitExceeded", "Message": ""}}}),
            Later,
        ),
        (answering({"Response": {"Error": {"Code": "AuthFailure.SecretIdNotFound"}}}), Never),
        (answering({}, 502), Later),
        (answering({"Response": {"SendStatusSet": []}}), Later),
        (lambda _: httpx.Response(200, content=b"<html>"), Later),
        (lambda _: httpx.Response(302, headers={"location": "https://example.com/"}), Later),
    ],
)
async def test_answers_say_whether_to_try_again_and_never_quote_the_message(
    clock: FakeClock, answer: Answer, outcome: type[Exception]
) -> None:
    sender = tencent(answer, clock)
    with pytest.raises(outcome) as caught:
        await sender.send(MESSAGE)
    await sender.close()
    assert MESSAGE.phone not in str(caught.value)
    assert MESSAGE.code not in str(caught.value)


async def test_a_provider_out_of_reach_is_tried_again(clock: FakeClock) -> None:
    def fall_silent(_: httpx.Request) -> httpx.Response:
        msg = "away"
        raise httpx.ConnectTimeout(msg)

    sender = tencent(fall_silent, clock)
    with pytest.raises(Later, match="ConnectTimeout"):
        await sender.send(MESSAGE)
    await sender.close()


async def test_the_sandbox_is_given_the_words_and_the_id() -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(msgspec.json.decode(request.content))
        return httpx.Response(201, json={})

    settings = Settings(secret_key="k" * 40, sms_url="http://127.0.0.1:1")
    sender = SandboxSMS(settings, words=Words(), transport=httpx.MockTransport(answer))
    await sender.send(MESSAGE)
    await sender.close()
    assert asked[0]["phone"] == MESSAGE.phone
    assert asked[0]["message_id"] == "m-1"
    assert "042137" in asked[0]["text"]


class Recorder:
    """A provider that remembers, or refuses."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[CodeMessage] = []
        self._error = error

    async def send(self, message: CodeMessage) -> None:
        if self._error:
            raise self._error
        self.sent.append(message)

    async def close(self) -> None:
        return


def payload(seal: Seal, expires_at: datetime) -> dict[str, Any]:
    plain = msgspec.json.encode(QueuedCode(MESSAGE, expires_at)).decode()
    sealed = seal.seal(plain, label=SEAL_LABEL)
    return {"message_id": str(new_id()), "sealed": b64encode(sealed).decode()}


async def test_the_errand_sends_what_is_alive_drops_what_is_dead_and_logs_no_digits(
    seal: Seal,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorder = Recorder()
    errands = SMSErrands(recorder, seal=seal, clock=clock)
    with caplog.at_level(logging.DEBUG):
        await errands.perform(payload(seal, NOON + timedelta(minutes=5)))
        await errands.perform(payload(seal, NOON))
    assert recorder.sent == [MESSAGE]
    logged = caplog.text + "".join(capsys.readouterr())
    assert MESSAGE.code not in logged
    assert MESSAGE.phone not in logged


async def test_the_errand_says_later_or_never(seal: Seal, clock: FakeClock) -> None:
    alive = payload(seal, NOON + timedelta(minutes=5))
    refusing = SMSErrands(Recorder(Never("UnsupportedOperation")), seal=seal, clock=clock)
    with pytest.raises(Never, match="UnsupportedOperation"):
        await refusing.perform(alive)
    with pytest.raises(Never, match="no provider"):
        await SMSErrands(None, seal=seal, clock=clock).perform(alive)
    with pytest.raises(Never, match="another key"):
        await SMSErrands(Recorder(), seal=Seal("another"), clock=clock).perform(alive)


def test_the_settings_choose_the_provider(clock: FakeClock) -> None:
    def chosen(provider: SMSProvider) -> object:
        settings = msgspec.structs.replace(SETTINGS, sms_provider=provider)
        return choose_sender(settings, clock=clock, words=Words())

    assert isinstance(chosen(SMSProvider.TENCENT), TencentSMS)
    assert isinstance(chosen(SMSProvider.SANDBOX), SandboxSMS)
    assert chosen(SMSProvider.NONE) is None


@pytest.mark.parametrize(
    "given,sentence",
    [
        ({"O2O_SMS_PROVIDER": "pigeon"}, "write tencent"),
        ({"O2O_SMS_PROVIDER": "tencent"}, "O2O_SMS_APP_ID is needed"),
        ({"O2O_SMS_PROVIDER": "tencent"}, "O2O_SMS_TEMPLATE_ID is the number"),
        ({"O2O_SMS_PROVIDER": "sandbox"}, "is the demo's"),
        ({"O2O_SMS_PROVIDER": "tencent", "O2O_SMS_URL": "http://127.0.0.1:1"}, "own address"),
    ],
)
def test_settings_that_cannot_work_are_named(given: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsWrong) as caught:
        read_settings({"O2O_SECRET_KEY": "k" * 40, **given})
    assert sentence in str(caught.value)
