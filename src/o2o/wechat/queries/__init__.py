"""Reads of official accounts, fans, messages, tokens and deliveries."""
