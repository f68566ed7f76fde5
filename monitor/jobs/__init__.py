"""Where the parts meet: each job takes a `Workplace` and does one thing, start to end."""
