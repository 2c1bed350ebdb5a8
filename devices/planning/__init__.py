"""What a model would cost on a board that is not here: a prediction, and said to be one."""
