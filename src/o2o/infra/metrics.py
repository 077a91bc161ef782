"""Prometheus metrics of a process."""

import os
from bisect import bisect_left
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

REGISTRY = CollectorRegistry()


class GatheredHistogram(Histogram):
    """A histogram that takes many observations for the price of few: values lie in shared files."""

    def observe_all(self, amounts: Sequence[float]) -> None:
        """Observe each; amounts beyond the last bucket count in it, which is infinite."""
        counts = [0] * len(self._upper_bounds)
        for amount in amounts:
            counts[bisect_left(self._upper_bounds, amount)] += 1
        self._sum.inc(sum(amounts))
        for bucket, count in zip(self._buckets, counts, strict=True):
            if count:
                bucket.inc(count)


HTTP_REQUESTS = Counter(
    "o2o_http_requests", "HTTP requests", ["method", "route", "status"], registry=REGISTRY
)
HTTP_SECONDS = Histogram(
    "o2o_http_seconds", "Time to answer an HTTP request", ["route"], registry=REGISTRY
)
CALLBACKS = Counter(
    "o2o_wechat_callbacks", "WeChat callbacks", ["account", "outcome"], registry=REGISTRY
)
CALLBACK_SECONDS = GatheredHistogram(
    "o2o_wechat_callback_seconds",
    "Time to answer a WeChat callback",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 4, 5),
    registry=REGISTRY,
)
WECHAT_CALLS = Counter(
    "o2o_wechat_calls", "Calls to WeChat's API", ["path", "errcode"], registry=REGISTRY
)
OUTBOX_DELIVERED = Counter(
    "o2o_outbox_delivered", "Outbox messages delivered", ["topic"], registry=REGISTRY
)
OUTBOX_FAILED = Counter(
    "o2o_outbox_failed", "Failed attempts to deliver outbox messages", ["topic"], registry=REGISTRY
)
OUTBOX_WAITING = Gauge(
    "o2o_outbox_waiting",
    "Outbox messages waiting",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
OUTBOX_DEAD = Gauge(
    "o2o_outbox_dead", "Dead letters", registry=REGISTRY, multiprocess_mode="mostrecent"
)
OUTBOX_OLDEST = Gauge(
    "o2o_outbox_oldest_seconds",
    "Age of the oldest waiting outbox message",
    registry=REGISTRY,
    multiprocess_mode="mostrecent",
)
SMS_SENT = Counter(
    "o2o_sms", "Text messages handed to the provider, or not", ["outcome"], registry=REGISTRY
)
LIVE_STREAMS = Gauge(
    "o2o_live_streams", "Open event streams", registry=REGISTRY, multiprocess_mode="livesum"
)
SPOOLED = Gauge(
    "o2o_wechat_spooled",
    "Callbacks waiting in the disk spool",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)


def exposition() -> bytes:
    """Return all metrics in Prometheus' text format, summed over workers where there are several.

    The client library keeps values in files of PROMETHEUS_MULTIPROC_DIR when that is set before
    the first import; `o2o serve` sets it.
    """
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library has none here
        return generate_latest(registry)
    return generate_latest(REGISTRY)
