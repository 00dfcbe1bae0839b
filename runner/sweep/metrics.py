"""``metrics``: what the sweep finds goes into a file for Prometheus, which node_exporter's textfile collector reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from runner.sweep.chores import Round

if TYPE_CHECKING:
    from prometheus_client import Metric as Family

    from runner.sweep.measure import Metric

IDLE = "no metrics: in envs/site.yaml"


def has_work(round_: Round) -> bool:
    """Whether somebody wants the file."""
    return bool(round_.place.plan.metrics)


def work(round_: Round) -> str:
    """Write the file, whole and by rename."""
    from prometheus_client import CollectorRegistry, write_to_textfile

    from runner.sweep.measure import measure

    path, home = round_.place.plan.metrics, round_.place.plan.name
    metrics = measure(round_)
    registry = CollectorRegistry()
    registry.register(_Measured(metrics, home))
    umask = os.umask(0o022)  # node_exporter is another user, and what is told here is no secret
    try:
        write_to_textfile(path, registry)
    finally:
        os.umask(umask)
    return f"{sum(len(metric.samples) for metric in metrics)} samples in {path}"


class _Measured:
    """A collector of what was measured once."""

    def __init__(self, metrics: list[Metric], home: str) -> None:
        self._metrics = metrics
        self._home = home

    def collect(self) -> Iterator[Family]:
        """Yield the metrics as Prometheus' own."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        for metric in self._metrics:
            kind = CounterMetricFamily if metric.name.endswith("_total") else GaugeMetricFamily
            family = kind(metric.name, metric.about, labels=("home", *metric.labels))
            for labels, value in metric.samples:
                family.add_metric((self._home, *labels), value)
            yield family
