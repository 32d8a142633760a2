"""Reading events again from their topics, and doing what is not done."""
