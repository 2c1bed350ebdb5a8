"""What keeps a run alive for weeks, and tells the system that it is."""
