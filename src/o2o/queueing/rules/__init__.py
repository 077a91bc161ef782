"""Pure decisions of queueing: order of calls, estimates, slots, door codes."""
