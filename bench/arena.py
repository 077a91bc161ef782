"""The arena: what every comparison of a run shares."""

import msgspec

from bench.contestants import Workshop, start_bare, start_product
from bench.database import Postgres
from bench.servers import Server
from bench.world import World


class Arena(msgspec.Struct, frozen=True, kw_only=True):
    """Where contestants meet, and for how long."""

    shop: Workshop
    postgres: Postgres
    world: World
    # The core of whoever answers, and those of PostgreSQL and the load.
    server_cores: set[int]
    other_cores: set[int]
    rounds: int
    seconds: float

    def start_product(self, *, cores: set[int] | None = None) -> Server:
        """Start the product on the servers' core, or on these."""
        return start_product(
            self.shop,
            self.postgres.url,
            secret_key=self.world.secret_key,
            cores=cores or self.server_cores,
        )

    def start_bare(self, *, cores: set[int]) -> Server:
        """Start the product without its safeguards, beside the whole one."""
        return start_bare(
            self.shop, self.postgres.url, secret_key=self.world.secret_key, cores=cores
        )
