"""Stores: brands, tiers and the places that serve.

Owns the tables of `o2o.crm.organisation` except the credentials of official accounts, which
`wechat` writes. A brand's and a store's identity (slug, code) never changes: creating one again
returns the first.
"""
