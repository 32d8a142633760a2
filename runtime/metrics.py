"""Define every metric in one place, with its name, labels and meaning. Dashboards and alerts rely on them.

``python -m runtime.metrics`` prints ``docs/metrics.md``. Names follow Prometheus's own rules
(https://prometheus.io/docs/practices/naming/): base units, ``_total`` for counters. An account is a label
only where nothing else would show whose books are not moving; there is one connection per account, so there
are few values. Metrics are only ever added.
"""

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

REGISTRY = CollectorRegistry()
"""Separate from the default registry, so that what libraries register there is not shown."""

_UP_TO_A_DAY = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)
_UP_TO_A_CALL = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 50)

# Throughput. Each process counts what it did itself.

MESSAGES_IN = Counter(
    "sbx_messages_in_total",
    "Messages that were read from a topic and finished: stored, passed on, or turned into dead letters. A "
    "message that is read again after a crash counts again.",
    ["topic"],
    registry=REGISTRY,
)
HANDLED_AHEAD = Counter(
    "sbx_handled_ahead_total",
    "Messages that were finished ahead of their place in a backlog, because few of their account were "
    "waiting. They count in sbx_messages_in_total, too.",
    ["topic"],
    registry=REGISTRY,
)
MESSAGES_OUT = Counter(
    "sbx_messages_out_total",
    "Messages that this process published and the broker stored: commands, results, dead letters.",
    ["topic"],
    registry=REGISTRY,
)
DEAD_LETTERS = Counter(
    "sbx_dead_letters_total",
    "Dead letters: messages that could not be processed, by reason code.",
    ["reason"],
    registry=REGISTRY,
)
STATES_ENTERED = Counter(
    "sbx_states_entered_total",
    "Entries of the Integrations Log that reached a state. detail is the outcome if completed, the reason "
    "code if failed or waiting for a reason, otherwise blank.",
    ["state", "detail"],
    registry=REGISTRY,
)
MESSAGE_SECONDS = Histogram(
    "sbx_message_seconds",
    "Time from a message's timestamp on its topic until it was finished here.",
    ["topic"],
    buckets=_UP_TO_A_DAY,
    registry=REGISTRY,
)
PUBLISHED_TO_LOG_SECONDS = Histogram(
    "sbx_published_to_log_seconds",
    "Time from a change event's timestamp on its topic until its entry was visible in the Integrations Log.",
    buckets=_UP_TO_A_DAY,
    registry=REGISTRY,
)
EVENT_TO_XERO_SECONDS = Histogram(
    "sbx_event_to_xero_seconds",
    "Time from a change in SalesBinder (the event's time) until it was posted to Xero, by action. Excludes "
    "retries, replays and operators' decisions.",
    ["action"],
    buckets=_UP_TO_A_DAY,
    registry=REGISTRY,
)

# Calls to Xero.

XERO_CALLS = Counter(
    "sbx_xero_calls_total",
    "Calls that lanes made to Xero, each attempt, by route and outcome: the class of the HTTP status (2xx, "
    "4xx, 5xx), limit (429), unauthorised (401, 403), no_answer, not_sent.",
    ["route", "outcome"],
    registry=REGISTRY,
)
XERO_CALL_SECONDS = Histogram(
    "sbx_xero_call_seconds",
    "Time until Xero responded or the wait for a response ended; without calls that were not sent.",
    ["route"],
    buckets=_UP_TO_A_CALL,
    registry=REGISTRY,
)
XERO_CALLS_LEFT = Gauge(
    "sbx_xero_calls_left",
    "Calls left within Xero's limits, by account and window (minute, day). Only from the process that is "
    "working for the account; day only once Xero has reported it.",
    ["account", "window"],
    registry=REGISTRY,
)
XERO_CALLS_UNDER_WAY = Gauge(
    "sbx_xero_calls_under_way",
    "Calls to Xero that are waiting for a response. Only from the process that is working for the account.",
    ["account"],
    registry=REGISTRY,
)
LANES = Gauge(
    "sbx_lanes",
    "Accounts that this process is working for.",
    registry=REGISTRY,
)
LANE_ENDS = Counter(
    "sbx_lane_ends_total",
    "Lanes that ended, by reason: idle (or stopped with the worker), given (to another worker, so that it "
    "has its share), lost (another worker took over the account), held (the ledger is behind), overtaken (an "
    "operator changed an action in progress), database (unavailable), broke (a bug).",
    ["how"],
    registry=REGISTRY,
)

# Backlog. Queried from broker and database when scraped, so every deliver process reports the same.

LAG = Gauge(
    "sbx_lag_messages",
    "Messages that the stage's consumer group has not finished yet, by topic. The same in all processes of "
    "the stage.",
    ["topic"],
    registry=REGISTRY,
)
WAITING = Gauge(
    "sbx_waiting_entries",
    "Actions in the ledger that have not ended, by account and state (queued, running). The same in all "
    "deliver processes.",
    ["account", "state"],
    registry=REGISTRY,
)
OLDEST_WAITING = Gauge(
    "sbx_oldest_waiting_seconds",
    "Age of the oldest action that has not ended, by account. The same in all deliver processes.",
    ["account"],
    registry=REGISTRY,
)
FAILED = Gauge(
    "sbx_failed_entries",
    "Actions in the ledger that have failed, by account. The same in all deliver processes.",
    ["account"],
    registry=REGISTRY,
)
HELD = Gauge(
    "sbx_account_held",
    "1 for an account for which nothing may be sent, by reason code: account_paused, connection_lost, "
    "xero_day_limit, … The same in all deliver processes.",
    ["account", "reason"],
    registry=REGISTRY,
)
OUTBOX = Gauge(
    "sbx_outbox_results",
    "Results in the outbox that are not yet published. The same in all deliver processes.",
    registry=REGISTRY,
)

LOST_COMMANDS = Gauge(
    "sbx_lost_commands",
    "Entries that the log has shown as queued for five minutes and that the ledger lacks (command_lost), by "
    "account. The same in all deliver processes, as of each one's last check.",
    ["account"],
    registry=REGISTRY,
)
REMOVED_UNREAD = Gauge(
    "sbx_removed_unread_messages",
    "Offsets that were removed from a topic before the stage had read them, by stage and topic, found in the "
    "last seven days. The same in all deliver processes, as of each one's last check.",
    ["stage", "topic"],
    registry=REGISTRY,
)

# The process itself.

WORKER = Gauge(
    "sbx_worker_info",
    "Always 1; the labels say which process this is.",
    ["stage", "worker", "version"],
    registry=REGISTRY,
)
RESTARTS = Gauge(
    "sbx_worker_restarts",
    "How often 'sbx up' has restarted this process; 0 under any other supervisor.",
    registry=REGISTRY,
)
READY = Gauge(
    "sbx_worker_ready",
    "1 if /readyz answers 200, else 0.",
    registry=REGISTRY,
)
PARTITIONS = Gauge(
    "sbx_partitions_assigned",
    "Partitions assigned to this process; 0 for the page and the notifications.",
    registry=REGISTRY,
)
LAST_PROGRESS = Gauge(
    "sbx_last_progress_timestamp_seconds",
    "Unix time at which this process last finished a batch; before the first, the time of its start. 0 for "
    "the page and the notifications.",
    registry=REGISTRY,
)
# Reading SalesBinder. Gauges are the same in all processes that read.

SOURCE_CALLS = Counter(
    "sbx_source_calls_total",
    "Calls that this process made to SalesBinder, by what they were for (delta, log, newest, open, wide, "
    "all, hint, changed, again, deep, history, reconcile) and verdict (answered, not_there, blocked, "
    "key_refused, not_permitted, redirected, unavailable, no_answer).",
    ["why", "verdict"],
    registry=REGISTRY,
)
SOURCE_HOOKS = Counter(
    "sbx_source_hooks_total",
    "Webhooks that came to this process, accepted or to an address that is nobody's (unknown).",
    ["verdict"],
    registry=REGISTRY,
)
SOURCE_TROUBLE = Gauge(
    "sbx_source_trouble",
    "1 for an account that SalesBinder gives no answers for, by reason code: salesbinder_key_refused, "
    "salesbinder_blocked, salesbinder_unavailable.",
    ["account", "reason"],
    registry=REGISTRY,
)
SOURCE_PROBLEMS = Gauge(
    "sbx_source_problems",
    "Records and lists of SalesBinder that cannot be read, by account and reason code.",
    ["account", "reason"],
    registry=REGISTRY,
)
SOURCE_LATEST = Gauge(
    "sbx_source_latest_seconds",
    "How late a change can be seen at most while SalesBinder answers, by account and kind.",
    ["account", "kind"],
    registry=REGISTRY,
)
SOURCE_AGE = Gauge(
    "sbx_source_layer_age_seconds",
    "Time since a layer of reading was last whole, by account and layer.",
    ["account", "layer"],
    registry=REGISTRY,
)
SOURCE_STOCK = Gauge(
    "sbx_source_stock_ratio",
    "Part of an account's rows that was read once, from 0 to 1: changes are published once it is 1.",
    ["account"],
    registry=REGISTRY,
)
SOURCE_WANTED = Gauge(
    "sbx_source_wanted",
    "What waits in an account's reader: details to read, events to publish, old documents to publish "
    "(history).",
    ["account", "what"],
    registry=REGISTRY,
)

LAST_COMMIT = Gauge(
    "sbx_last_commit_timestamp_seconds",
    "Unix time at which this process last committed offsets; 0 before the first commit.",
    registry=REGISTRY,
)

Metric = Counter | Gauge | Histogram

METRICS: Mapping[str, Metric] = {
    name: value for name, value in globals().items() if isinstance(value, Counter | Gauge | Histogram)
}

_HEAD = """\
# Metrics

<!-- Written by "python -m runtime.metrics > docs/metrics.md"; a test compares them. -->

Every process (the stages, the reader of SalesBinder, the page, the notifications) serves these metrics for
Prometheus at `/metrics`, together with the usual `process_…` and `python_…` metrics.
[Monitoring](monitoring.md) says at which address, and how to read them and set alerts.

| metric | type | labels | |
|---|---|---|---|
"""


def page() -> str:
    """Return ``docs/metrics.md``."""
    return _HEAD + "".join(_row(metric) for metric in METRICS.values())


def full_name(metric: Metric) -> str:
    """Return the name under which a metric is queried; a histogram has ``_bucket``, ``_sum`` and ``_count``
    after it.
    """
    described = next(iter(metric.describe()))
    return f"{described.name}_total" if isinstance(metric, Counter) else described.name


def _row(metric: Metric) -> str:
    described = next(iter(metric.describe()))
    labels = ", ".join(f"`{name}`" for name in metric._labelnames)
    return f"| `{full_name(metric)}` | {described.type} | {labels} | {described.documentation} |\n"


if __name__ == "__main__":
    print(page(), end="")
