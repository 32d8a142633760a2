"""The sbx command and what operators run: one file a command group."""
