"""What a model and a pipeline cost on this board, and in which conditions."""
