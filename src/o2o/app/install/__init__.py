"""Setting a real installation up from nothing: brand, account, store, staff, keys."""
