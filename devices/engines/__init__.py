"""TensorRT engines made of a bundle's ONNX files, on the board that will run them."""
