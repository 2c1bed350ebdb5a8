"""One thread for every test: the networks are so small that more only get into each other's way."""

import cv2
import torch

torch.set_num_threads(1)
cv2.setNumThreads(0)
