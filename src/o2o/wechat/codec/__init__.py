"""WeChat's callback wire format as pure functions: signature, cipher, XML, typed messages, replies.

Knows neither SQL nor HTTP: a caller hands over the query, the body and the time, and gets fields or
a :class:`~o2o.wechat.codec.errors.CallbackRefused`. The path of a message is
``envelope.open_envelope`` → ``messages.parse_message`` → ``dedupe.message_key`` and back
``replies.render_reply`` → ``envelope.seal_reply``.
"""
