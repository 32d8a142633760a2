"""The infrastructure that every process needs: environment, database, crash points, metrics, logs, probes.
Contains no domain knowledge.
"""
