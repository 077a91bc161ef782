"""Pure decisions of membership: codes and cards, travel, tiers."""
