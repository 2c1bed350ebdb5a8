"""What is given up, in the open, when the machine is too slow for what was asked of it."""
