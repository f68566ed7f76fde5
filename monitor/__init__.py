"""What everything stands on: records, errors, settings, http, store, mail, jobs and the command line."""
