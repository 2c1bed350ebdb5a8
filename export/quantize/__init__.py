"""INT8 after training: calibration, ranges, equalisation, rounding, Q/DQ, and what it costs."""
