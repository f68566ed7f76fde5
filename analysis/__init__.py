"""Pure functions over text and frames: the gate, the encoder, triage, stories, spikes, and their pipeline."""

import os

# Read when numpy is first imported. Its threads wait by spinning, and would take the processor from those that read.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
