"""Where frames come from, and what is known of a camera that is silent."""
