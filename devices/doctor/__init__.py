"""What this board is, what is missing, and what to type. It looks, and changes nothing."""
