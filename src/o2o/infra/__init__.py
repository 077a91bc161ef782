"""Settings, database, the one transaction, locks, outbox, relay, schedule, coalescer, logging."""
