"""The O2O membership and ordering suite for restaurant and service-hall chains inside WeChat."""

__version__ = "0.1.0"
