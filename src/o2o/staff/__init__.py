"""Staff: who signs in on our side, with which roles where, on which pads, and with which keys.

Owns the tables of `o2o.crm.staff` except web sessions. Passwords and PINs are kept as argon2id,
tokens and one-time codes as keyed hashes. Every change notes itself in the audit trail.
"""
