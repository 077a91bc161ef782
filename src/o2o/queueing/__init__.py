"""Queueing: lines, tickets, calls, bookings and the estimate of a wait.

Owns the tables of `o2o.crm.queueing`. Numbers of a queue and business day are unique, in order and
without gaps; a person has one active ticket per store; whoever left is never called; a priority
never lets an ordinary party starve. Tells others by `ticket.taken`, `ticket.called`,
`ticket.ended`, `queue.changed` and `wait.promise_missed`.
"""
