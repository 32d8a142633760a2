"""Every metric of the processes: name, labels and meaning, in one place. Dashboards and alerts rely on them.

``python -m runtime.metrics`` prints ``docs/metrics.md``. Names follow Prometheus's own rules
(https://prometheus.io/docs/practices/naming/): base units, ``_total`` for counters. An account is a label
only where nothing else would say whose books stand still; there is one connection an account, so their
number is small. Metrics are only ever added.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
"""Ours alone: libraries that register something in the default registry do not show."""

_UP_TO_A_DAY = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
_UP_TO_A_MINUTE = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_UP_TO_A_CALL = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 50)

# What flows. Counted by each process for what it did itself.

MESSAGES_IN = Counter(
    "sbx_messages_in_total",
    "Messages read from a topic and finished: stored, sent on, or set aside. Read again after a crash, "
    "a message counts again.",
    ["topic"],
    registry=REGISTRY,
)
MESSAGES_OUT = Counter(
    "sbx_messages_out_total",
    "Messages that the broker has stored for us: commands, results, dead letters.",
    ["topic"],
    registry=REGISTRY,
)
DEAD_LETTERS = Counter(
    "sbx_dead_letters_total",
    "Messages that nobody can work on, by reason code.",
    ["reason"],
    registry=REGISTRY,
)
STATES_ENTERED = Counter(
    "sbx_states_entered_total",
    "States that entries of the Integrations Log came into. detail: the outcome of completed ones, the "
    "reason code of failed and waiting ones, else blank.",
    ["state", "detail"],
    registry=REGISTRY,
)
MESSAGE_SECONDS = Histogram(
    "sbx_message_seconds",
    "From a message's time on its topic until it was finished here.",
    ["topic"],
    buckets=_UP_TO_A_DAY,
    registry=REGISTRY,
)
PUBLISHED_TO_LOG_SECONDS = Histogram(
    "sbx_published_to_log_seconds",
    "From a change event's time on its topic until its entry could be seen in the Integrations Log.",
    buckets=_UP_TO_A_DAY,
    registry=REGISTRY,
)
EVENT_TO_XERO_SECONDS = Histogram(
    "sbx_event_to_xero_seconds",
    "From the time at which something happened in SalesBinder until Xero had accepted it, by action. Only "
    "what went through without an operator's retry.",
    ["action"],
    buckets=_UP_TO_A_DAY,
    registry=REGISTRY,
)

# Calls to Xero.

XERO_CALLS = Counter(
    "sbx_xero_calls_total",
    "Calls to Xero by route and result: 2xx, 4xx, 5xx; limit (429); unauthorised (401, 403); no_answer; "
    "not_sent.",
    ["route", "outcome"],
    registry=REGISTRY,
)
XERO_CALL_SECONDS = Histogram(
    "sbx_xero_call_seconds",
    "How long Xero took to answer, or we waited in vain.",
    ["route"],
    buckets=_UP_TO_A_CALL,
    registry=REGISTRY,
)
XERO_CALLS_LEFT = Gauge(
    "sbx_xero_calls_left",
    "What is left of Xero's limits, by account and window (minute, day). Shown by the process that works for "
    "the account, day once Xero has told it.",
    ["account", "window"],
    registry=REGISTRY,
)
XERO_CALLS_UNDER_WAY = Gauge(
    "sbx_xero_calls_under_way",
    "Calls to Xero that have no answer yet. Shown by the process that works for the account.",
    ["account"],
    registry=REGISTRY,
)
LANES = Gauge(
    "sbx_lanes",
    "Accounts that this process works for now.",
    registry=REGISTRY,
)
LANE_ENDS = Counter(
    "sbx_lane_ends_total",
    "Lanes that ended: idle or stopped, lost (another worker has the account), overtaken (an operator was "
    "quicker), database (away), broke (a bug).",
    ["how"],
    registry=REGISTRY,
)

# What waits. Asked of broker and database when somebody looks; every deliver process tells the same.

LAG = Gauge(
    "sbx_lag_messages",
    "Messages of this process's stage that its consumer group has not finished, by topic. The same in all "
    "processes of a stage.",
    ["topic"],
    registry=REGISTRY,
)
WAITING = Gauge(
    "sbx_waiting_entries",
    "Actions in the command ledger that have not ended, by account and state (queued, running). The same in "
    "all deliver processes.",
    ["account", "state"],
    registry=REGISTRY,
)
OLDEST_WAITING = Gauge(
    "sbx_oldest_waiting_seconds",
    "How long the oldest action that has not ended waits, by account. The same in all deliver processes.",
    ["account"],
    registry=REGISTRY,
)
FAILED = Gauge(
    "sbx_failed_entries",
    "Failures in the command ledger that still stand, by account. The same in all deliver processes.",
    ["account"],
    registry=REGISTRY,
)
HELD = Gauge(
    "sbx_account_held",
    "1 for an account of which nothing may be sent, by reason code: account_paused, connection_lost, "
    "xero_day_limit, … The same in all deliver processes.",
    ["account", "reason"],
    registry=REGISTRY,
)
OUTBOX = Gauge(
    "sbx_outbox_results",
    "Results that are committed and not yet published. The same in all deliver processes.",
    registry=REGISTRY,
)

LOST_COMMANDS = Gauge(
    "sbx_lost_commands",
    "Entries that the log shows as queued for five minutes and the command ledger does not know, by account "
    "(command_lost). The same in all deliver processes, each at its last look.",
    ["account"],
    registry=REGISTRY,
)
REMOVED_UNREAD = Gauge(
    "sbx_removed_unread_messages",
    "Offsets that were removed from a topic before a stage had read them, by stage and topic, found in the "
    "last seven days. The same in all deliver processes, each at its last look.",
    ["stage", "topic"],
    registry=REGISTRY,
)

# The process itself.

WORKER = Gauge(
    "sbx_worker_info",
    "1, with what this process is.",
    ["stage", "worker", "version"],
    registry=REGISTRY,
)
RESTARTS = Gauge(
    "sbx_worker_restarts",
    "How often 'sbx up' has started this process again. 0 where something else supervises it.",
    registry=REGISTRY,
)
READY = Gauge(
    "sbx_worker_ready",
    "1 while /readyz says yes.",
    registry=REGISTRY,
)
PARTITIONS = Gauge(
    "sbx_partitions_assigned",
    "Partitions that this process reads.",
    registry=REGISTRY,
)
LAST_PROGRESS = Gauge(
    "sbx_last_progress_timestamp_seconds",
    "Unix time at which this process last finished a batch; its start before the first.",
    registry=REGISTRY,
)
LAST_COMMIT = Gauge(
    "sbx_last_commit_timestamp_seconds",
    "Unix time at which this process last committed offsets; 0 before the first.",
    registry=REGISTRY,
)

Metric = Counter | Gauge | Histogram

METRICS: Mapping[str, Metric] = {
    name: value for name, value in globals().items() if isinstance(value, Counter | Gauge | Histogram)
}

_HEAD = """\
# Metrics

<!-- Written by "python -m runtime.metrics > docs/metrics.md"; a test compares them. -->

Every process (the stages, the page, the notifications) serves `/metrics` for Prometheus, `/healthz`
and `/readyz`: [monitoring](monitoring.md) says where, and what is worth an alert.
Besides these there are the usual `process_…` and `python_…` metrics.

| metric | type | labels | |
|---|---|---|---|
"""


def page() -> str:
    """Return ``docs/metrics.md``."""
    return _HEAD + "".join(_row(metric) for metric in METRICS.values())


def full_name(metric: Metric) -> str:
    """Return the name under which it is queried; a histogram's are this with ``_bucket``, ``_sum``,
    ``_count``.
    """
    described = next(iter(metric.describe()))
    return f"{described.name}_total" if isinstance(metric, Counter) else described.name


def _row(metric: Metric) -> str:
    described = next(iter(metric.describe()))
    labels = ", ".join(f"`{name}`" for name in metric._labelnames)
    return f"| `{full_name(metric)}` | {described.type} | {labels} | {described.documentation} |\n"


if __name__ == "__main__":
    print(page(), end="")
