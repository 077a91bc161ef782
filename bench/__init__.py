"""Measured comparisons: the product beside the limit and beside peers, in interleaved rounds."""
