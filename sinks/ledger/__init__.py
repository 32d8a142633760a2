"""The ledger: commands, links, elements, intents, snapshots."""
