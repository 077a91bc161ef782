"""Pure helpers that every layer may use: money, ids, clock, status moves, errors, events."""
