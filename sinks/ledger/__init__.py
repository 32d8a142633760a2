"""What the ledger holds: commands, links, elements, intents, snapshots."""
