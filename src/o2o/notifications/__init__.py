"""Notifications: what a member is told, by which fan and through which of WeChat's channels.

Owns no table: a message is a delivery of `wechat`. Nobody is told twice of one thing (the message's
id is derived from it), and nobody who does not follow is told at all.
"""
