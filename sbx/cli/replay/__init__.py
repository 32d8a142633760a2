"""Events read again from their topics: the plan first, then the run."""
