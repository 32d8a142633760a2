-- Deliver workers. One lives while its session holds the advisory lock of its number, and works while it says so here:
-- a process that stands still keeps its lock.
CREATE TABLE ledger.workers (
    holder     bigint PRIMARY KEY,
    name       text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
