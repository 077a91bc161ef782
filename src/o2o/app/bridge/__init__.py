"""The reference program of the bridge: runs in a hall's network, beside its queue machine."""
