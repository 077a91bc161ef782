"""Writes of the web layer: sessions."""
