"""What a browser shows of `running`."""

from playwright.sync_api import Page

from tests.runtime.sinks.view.running import HW, RED


def pixel(page: Page, nth: int = 0) -> list[int]:
    """The colour in the middle of the red thing on the nth camera's canvas, RGBA."""
    middle = [(RED[0] + RED[2]) / 2 / HW[1], (RED[1] + RED[3]) / 2 / HW[0]]
    got: list[int] = (
        page.locator("canvas.image")
        .nth(nth)
        .evaluate(
            """(canvas, [x, y]) => Array.from(canvas.getContext("2d").getImageData(
             Math.round(x * canvas.width), Math.round(y * canvas.height), 1, 1).data)""",
            middle,
        )
    )
    return got


def sees_red(page: Page, nth: int = 0) -> bool:
    """Whether the image is there."""
    red, green, _, opaque = pixel(page, nth)
    return red > 200 and green < 60 and opaque == 255
