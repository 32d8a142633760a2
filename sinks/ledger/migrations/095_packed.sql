-- Bodies are packed (sinks/ledger/packing.py): those of commands and snapshots where they are, those of elements in a
-- column of their own, and then not as JSON. Earlier versions cannot read packed ones, and may work beside this one
-- during an upgrade: where they have been, it reads both, and packs from a day later on.
ALTER TABLE ledger.elements ADD COLUMN packed bytea;
ALTER TABLE ledger.generation ADD COLUMN packs_from timestamptz NOT NULL DEFAULT '-infinity';
UPDATE ledger.generation SET packs_from = clock_timestamp() + interval '1 day' WHERE EXISTS (SELECT FROM ledger.commands);
