"""The chain's side as numbers for monitoring: gas, what waits to be mined, and how far logs were read."""

from collections.abc import Callable, Mapping

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from usufruct.chain.indexer import Indexer
from usufruct.chain.sender import Sender


async def sender_metrics(senders: Mapping[str, Sender]) -> list[Metric]:
    """Return what senders spent and what they wait for, by role; raises `DatabaseUnavailable`."""
    spent = CounterMetricFamily("usufruct_gas_spent_wei", "Paid for final transactions.", labels=["role"])
    waiting = GaugeMetricFamily("usufruct_outbox_pending", "Transactions that are not final yet.", labels=["role"])
    for role, sender in senders.items():
        spent.add_metric([role], sender.spent_wei)
        waiting.add_metric([role], await sender.waiting())
    return [spent, waiting]


class LogStreams(dict[str, Callable[[], Indexer]]):
    """The streams of logs that this installation follows, by name; each is made when it is first asked about."""


async def gap_metrics(streams: LogStreams) -> list[Metric]:
    """Return how often the node had hidden logs of each stream; raises `DatabaseUnavailable`."""
    found = CounterMetricFamily("usufruct_log_gaps", "How often the node hid logs that came later.", labels=["stream"])
    for name, stream in streams.items():
        found.add_metric([name], await stream().gaps())
    return [found]


async def lag_metrics(streams: LogStreams) -> list[Metric]:
    """Return how many blocks each stream of logs has still to read; raises `RpcUnavailable`."""
    lag = GaugeMetricFamily("usufruct_chain_lag_blocks", "Blocks that are not read yet.", labels=["stream"])
    for name, stream in streams.items():
        lag.add_metric([name], await stream().behind())
    return [lag]
