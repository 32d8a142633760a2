"""What every process needs: environment, database, crash points, metrics, logs, probes. Knows no domain."""
