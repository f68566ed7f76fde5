"""Makes the encoder in ``analysis/model`` again from public data: see README.md beside this file."""
