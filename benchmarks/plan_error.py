"""How far `stopline plan` is off, against times that others published.

    python benchmarks/plan_error.py

Fits the efficiency to YOLO11 n, s and m in FP16 and INT8 on three Orins, once on all of them and
once without each board in turn, and prints the error of each figure both ways. Then the error on
what was never fitted: the same in FP32, and another family on other boards. The last lines are what
devices/planning/efficiency.py holds, and must hold.
"""

from collections.abc import Sequence

import numpy as np
from planning.fitting import errors, fitted, predicted_ms
from planning.published import FITTED_ON, Figure, yolo11_figures, yolox_figures

from stopline.devices.planning.efficiency import Efficiency

# What their authors publish of them: parameters in millions, and 10^9 operations.
ABOUT = {
    "YOLO11n": (2.6, 6.5),
    "YOLO11s": (9.4, 21.5),
    "YOLO11m": (20.1, 68.0),
    "YOLOX-S": (9.0, 26.8),
}


def main() -> None:
    """Print it as Markdown."""
    _print_shapes([*yolo11_figures(FITTED_ON), *yolox_figures()])
    print()
    figures = yolo11_figures(FITTED_ON)
    everything = fitted(figures)
    print(
        "| board | model | precision | published ms | error, board left out | error, all fitted |"
    )
    print("|---|---|---|---|---|---|")
    left_out: list[float] = []
    for device in dict.fromkeys(one.device for one in figures):
        tested = [one for one in figures if one.device == device]
        without = fitted([one for one in figures if one.device != device])
        blind = errors(tested, without)
        left_out.extend(blind)
        for figure, off, seen in zip(tested, blind, errors(tested, everything), strict=True):
            print(f"| {_named(figure)} | {figure.ms:.2f} | {off:+.0%} | {seen:+.0%} |")
    print()
    print(f"left out: {_summary(left_out)}; all fitted: {_summary(errors(figures, everything))}")
    print()
    _print_unfitted([*yolo11_figures(("fp32",)), *yolox_figures()], everything)
    print()
    print(f"FITTED = {everything}")
    print(f"WORST_LEFT_OUT = {np.abs(left_out).max():.3f}")


def _print_shapes(figures: Sequence[Figure]) -> None:
    print("| model | parameters, M | published | GFLOP | published |")
    print("|---|---|---|---|---|")
    for model, net in {one.model: one.net for one in figures}.items():
        gflop = 2 * sum(layer.macs for layer in net.layers) / 1e9
        parameters, published = ABOUT[model]
        print(
            f"| {model} | {net.parameters / 1e6:.2f} | {parameters} | {gflop:.1f} | {published} |"
        )


def _print_unfitted(figures: Sequence[Figure], reached: Efficiency) -> None:
    print("| board | model | precision | published ms | predicted ms | error |")
    print("|---|---|---|---|---|---|")
    for one, off in zip(figures, errors(figures, reached), strict=True):
        ms = predicted_ms(one, reached)
        print(f"| {_named(one)} | {one.ms:.2f} | {ms:.2f} | {off:+.0%} |")


def _named(figure: Figure) -> str:
    return f"{figure.device} | {figure.model} | {figure.precision.upper()}"


def _summary(off: Sequence[float]) -> str:
    rms, worst = np.sqrt(np.mean(np.square(off))), np.abs(off).max()
    return f"rms {rms:.1%}, worst {worst:.1%} (n = {len(off)})"


if __name__ == "__main__":
    main()
