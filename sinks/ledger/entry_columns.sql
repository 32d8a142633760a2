    -- The columns of an entry (entries.py, entry_of_row), from ledger.commands as c.
    c.seq, c.command_id, c.body, c.state, c.outcome, c.reason_code, c.reason_args, c.warnings, c.acted, c.perhaps_acted,
    c.attempts, c.revision, c.version, c.next_attempt_at, c.queued_at, c.started_at, c.finished_at, c.xero_type,
    c.xero_id, c.xero_number, c.triggered_by, c.actor, c.first_triggered_by, c.first_actor
