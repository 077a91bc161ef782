"""Checks of the code's shape: what may import, commit, hold money and reach the network."""
