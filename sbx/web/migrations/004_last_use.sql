-- When a token was used last, to the minute: what nobody uses can be revoked.
ALTER TABLE web.tokens ADD COLUMN last_used_at timestamptz;
