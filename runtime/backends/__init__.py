"""What runs a graph, and which of them this machine should use."""
