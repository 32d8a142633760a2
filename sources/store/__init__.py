"""What a reader keeps in the database: accounts, records, scans, calls, events until they are published."""
