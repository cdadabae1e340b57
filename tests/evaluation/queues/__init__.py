"""A trial of job queues on PostgreSQL with our own jobs, under load and under faults: `make bench-queues`."""
