"""The JSON API of membership: the routes of all its files."""

from o2o.membership.web import api_holds, api_members, api_money, api_points

route_handlers = [
    *api_members.route_handlers,
    *api_money.route_handlers,
    *api_points.route_handlers,
    *api_holds.route_handlers,
]
