"""Read events again from their topics, and do what is not done yet."""
