"""A stand-in for WeChat: its HTTP API, OAuth, message callbacks and JS-SDK, with books of its own.

It is a separate program. It knows nothing of the product it serves; the two meet over HTTP only.
"""
