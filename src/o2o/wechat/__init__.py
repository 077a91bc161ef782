"""Official accounts: callback, messages, OAuth, JS-SDK, tokens, WeChat Pay; the door to WeChat."""
