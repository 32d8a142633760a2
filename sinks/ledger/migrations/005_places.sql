-- Where the event of a command was read: topic/partition/offset. What was read there is the same for ever, so a replay
-- knows by it that the content is the same, without reading it. Null: taken in before this column was there.
ALTER TABLE ledger.commands ADD COLUMN place text;
