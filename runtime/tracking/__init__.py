"""Which object is which, from frame to frame."""
