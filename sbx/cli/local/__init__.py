"""Everything on one machine: services, workers and the page, supervised."""
