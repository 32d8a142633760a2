-- What a later act would erase of a command: how it ended before, and who queued or skipped it, when. The log is told of
-- it, and can be told again. What the command's own row tells (when it came, how it stands now) is not written twice, so
-- a command that nobody has to retry has no row here.
CREATE TABLE ledger.steps (
    command_id   uuid NOT NULL,
    version      integer NOT NULL,
    at           timestamptz NOT NULL,
    step         text NOT NULL,
    outcome      text,
    reason_code  text,
    reason_args  jsonb NOT NULL DEFAULT '{}',
    warnings     jsonb NOT NULL DEFAULT '[]',
    triggered_by text NOT NULL,
    actor        text NOT NULL,
    PRIMARY KEY (command_id, version)
);

-- Who set the command off first, once somebody else has set it off again; null until then.
ALTER TABLE ledger.commands ADD COLUMN first_triggered_by text, ADD COLUMN first_actor text;

-- A trigger, so that no statement can forget it, nor a worker of an earlier version during an upgrade.
CREATE FUNCTION ledger.keep_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.triggered_by <> OLD.triggered_by OR NEW.actor <> OLD.actor THEN
        NEW.first_triggered_by := coalesce(OLD.first_triggered_by, OLD.triggered_by);
        NEW.first_actor := coalesce(OLD.first_actor, OLD.actor);
    END IF;
    IF OLD.state IN ('failed', 'completed') THEN
        INSERT INTO ledger.steps
        VALUES (OLD.command_id, OLD.version, coalesce(OLD.finished_at, OLD.queued_at),
                CASE WHEN OLD.outcome = 'skipped_by_operator' THEN 'skipped' ELSE OLD.state END,
                OLD.outcome, OLD.reason_code, OLD.reason_args, OLD.warnings, '',
                CASE WHEN OLD.outcome = 'skipped_by_operator' THEN OLD.actor ELSE '' END)
        ON CONFLICT DO NOTHING;
    END IF;
    IF NEW.state = 'queued' OR NEW.outcome = 'skipped_by_operator' THEN
        INSERT INTO ledger.steps
        VALUES (NEW.command_id, NEW.version, clock_timestamp(),
                CASE WHEN NEW.state <> 'queued' THEN 'skipped'
                     WHEN NEW.triggered_by = 'retry' THEN 'retried'
                     WHEN NEW.triggered_by = 'replay' THEN 'replayed'
                     WHEN NEW.triggered_by = 'drift' THEN 'sent_again'
                     WHEN NEW.triggered_by = 'decision' THEN 'decided'
                     ELSE 'queued' END,
                NEW.outcome, NEW.reason_code, NEW.reason_args, NEW.warnings,
                CASE WHEN NEW.state = 'queued' THEN NEW.triggered_by ELSE '' END, NEW.actor)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER keep_steps BEFORE UPDATE ON ledger.commands FOR EACH ROW
    WHEN (NEW.version <> OLD.version AND (OLD.state IN ('failed', 'completed')
          OR NEW.triggered_by <> OLD.triggered_by OR NEW.actor <> OLD.actor))
    EXECUTE FUNCTION ledger.keep_steps();
