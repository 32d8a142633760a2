"""Read events again from their topics: first the plan, then the run."""
