"""A video of every alert, from before it to after it."""
