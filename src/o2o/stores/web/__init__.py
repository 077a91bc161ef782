"""What the stores domain shows by itself: the colours of a brand."""
