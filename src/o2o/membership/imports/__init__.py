"""Files from another system: their encoding, their table, and what is wrong with a row. No SQL."""
