"""What of all that is seen somebody wants to be told."""
