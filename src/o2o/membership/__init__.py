"""Membership: members, their identities, cards, consents, member codes and counter visits.

A member is made once, whatever races. A member code works once, for a minute. Money moves at the
counter only inside a live visit of that member, pad and store. Publishes member.joined,
visit.opened, visit.held, pad.scan_locked; listens to the ledger and tells the member.
"""
