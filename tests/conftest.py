"""What every test shares: Hypothesis profiles; marks and the socket policy stand in pytest.ini."""

import os

from hypothesis import HealthCheck, settings

# The PostgreSQL fixtures, for every test that asks for them.
pytest_plugins = ["tests.fixtures.database"]

# Examples are drawn anew on a developer's machine and repeatably in CI: a red run stays red.
# No deadline: two cores are shared by several workers, and wall-clock limits only measure that.
settings.register_profile("developer", deadline=None, print_blob=True)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "developer")
