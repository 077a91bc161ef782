"""The same product and phones as for the diner's other pages."""

from tests.browser.diner.conftest import browser, counter, member, newcomer, open_as, seal, site

__all__ = ["browser", "counter", "member", "newcomer", "open_as", "seal", "site"]
