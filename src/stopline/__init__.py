"""From a PyTorch detector to a camera on a GPU board: the same answer, on time, never a lie."""

__version__ = "0.1.0"
