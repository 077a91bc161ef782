"""The demo's world: two invented brands, their stores, staff, members and past, as data."""
