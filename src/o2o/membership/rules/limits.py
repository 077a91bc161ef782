"""Numbers that bound codes, visits and what a key may do alone."""

from datetime import timedelta

CODE_LASTS = timedelta(seconds=60)
# A newer code leaves the older this long: the clerk may be holding the scanner over it.
OLD_CODE_LASTS = timedelta(seconds=5)
LIVE_CODES_MAX = 4
# How far a code's issue may lie ahead of our own clock; further, and the clock was set back.
CLOCK_SLACK = timedelta(seconds=5)
# Long enough to say "expired" or "used" rather than "unknown".
CODES_KEPT = timedelta(days=1)
VISIT_LASTS = timedelta(minutes=5)
# A slip of the finger is noticed at once; later a manager looks at it.
UNDO_LASTS = timedelta(minutes=10)
# How far back the last visit matters for the journey from it.
TRAVEL_LOOK_BACK = timedelta(hours=24)
