"""The one door to WeChat: callback, chat, tokens, messages, OAuth, JS-SDK.

Owns: official accounts, fans, inbound messages, dialogues, access tokens, OAuth states, message
templates and deliveries.

Invariants: a message takes effect once and is answered within five seconds; whatever was
acknowledged is on disk; no call to WeChat while a transaction is open; wechatpy is imported by
`gateway` alone.

Publishes `fan.followed` and `fan.unfollowed`. Higher domains register what they answer with
`router.ChatRouter`, send by `actions.queue_messages`, and are put together by `services`.
"""
