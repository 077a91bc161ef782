"""The JSON API of queueing: the routes of its files."""

from o2o.queueing.web import api_bookings, api_bridge, api_queues, api_tickets

route_handlers = [
    *api_bookings.route_handlers,
    *api_queues.route_handlers,
    *api_tickets.route_handlers,
    *api_bridge.route_handlers,
]
