"""The runtime's tests in the light environment, on every Python and both majors of OpenCV."""

import nox

RUNTIME_TESTS = ["tests/runtime", "tests/house/test_light.py"]


@nox.session(venv_backend="virtualenv")
@nox.parametrize(
    "python,opencv",
    [("3.10", "<5"), ("3.11", ">=5"), ("3.12", "<5"), ("3.13", ">=5")],
    ids=["3.10-cv4", "3.11-cv5", "3.12-cv4", "3.13-cv5"],
)
def runtime(session: nox.Session, opencv: str) -> None:
    """No torch, no onnx: what `pip install stopline[cpu]` gives, and pytest."""
    session.install(
        "-e", ".[cpu]", f"opencv-python-headless{opencv}", "pytest", "pytest-timeout", "hypothesis"
    )
    session.run("pytest", "-q", "-m", "not journey", *RUNTIME_TESTS)
