"""The store: mentions, runs, judgements, cases, the outbox and the journal, on SQLite or PostgreSQL.

`engine` opens it, `schema` draws it, `migrations/` builds it; every other module holds functions over an
open connection, so that a job can do several things in one transaction.
"""
