"""Reads of the web layer: sessions and who is behind them."""
