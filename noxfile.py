"""The runtime's tests in the light environment: the oldest and the newest Python, OpenCV 4 and 5.

What lies between is `make check`'s own Python 3.11 with OpenCV 5, and 3.12, where only what touches
OpenCV, the backends or the command line is run again.
"""

import nox

TESTED_WITH = ["pytest", "pytest-timeout", "hypothesis"]
EVERYTHING = ["tests/runtime", "tests/house/test_light.py"]
AT_THE_EDGES = [
    "tests/runtime/backends",
    "tests/runtime/cameras",
    "tests/runtime/test_run.py",
    "tests/house/test_light.py",
]


@nox.session(venv_backend="virtualenv")
@nox.parametrize(
    "python,opencv,tests",
    [
        ("3.10", "<5", EVERYTHING),
        ("3.12", "<5", AT_THE_EDGES),
        ("3.13", ">=5", EVERYTHING),
    ],
    ids=["3.10-cv4", "3.12-cv4", "3.13-cv5"],
)
def runtime(session: nox.Session, opencv: str, tests: list[str]) -> None:
    """No torch, no onnx: what a board without a GPU has, and pytest."""
    session.install(
        "-e", ".[cpu,view,mqtt,metrics]", f"opencv-python-headless{opencv}", *TESTED_WITH
    )
    session.run("pytest", "-q", "-m", "not journey", *tests)
