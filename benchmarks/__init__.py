"""What the product claims, measured: accuracy on invented labelled posts, speed beside the peers."""
