"""Reads of queues, tickets, positions and waits."""
