"""Pure functions over text and frames: the gate, sentiment, triage, stories, trends, and their pipeline."""
