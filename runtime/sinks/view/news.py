"""What the page is told, a few times a second: the state of every camera, and new images.

One answer holds both, so that no image can be shown beside a state it does not belong to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from stopline.runtime.events import Event, Step
from stopline.runtime.frame import CameraState
from stopline.runtime.sinks.view.pictures import Picture, Wish
from stopline.runtime.sinks.view.scene import OF_STAGES, Scene, Seen, stage_medians_ms

MEDIA_TYPE = "application/x-stopline-news"
MOST_BYTES = 4 << 20


class Found(msgspec.Struct):
    """One box; its edges are 0..1 of the frame."""

    box: tuple[float, float, float, float]
    score: float
    name: str
    kind: int  # the class's place in the detector's list, which gives its colour
    track: int | None


class ImageNews(msgspec.Struct):
    """What belongs to one image. Of `size` bytes; the images lie behind each other, in order."""

    camera: int
    number: int
    captured_ms: float
    size: int
    width: int  # of the source frame
    height: int
    found: list[Found]


class CameraNews(msgspec.Struct):
    """`points` are those since the last answer: milliseconds of publication, and of age."""

    name: str
    state: CameraState
    for_ms: float  # it has been in that state
    frames: int
    dropped: int
    missed: int
    stages_ms: dict[str, float]  # medians of the latest answers, empty while not LIVE
    points: list[tuple[float, float]]


class News(msgspec.Struct):
    """Times are milliseconds of the server's monotonic clock."""

    run: str  # another one has nothing to do with what the page knows
    received_ms: float
    sent_ms: float
    cameras: list[CameraNews]
    images: list[ImageNews]
    events: list[Event]
    step: Step | None
    rules: int  # changes when they do
    deadline_ms: float | None


@dataclass(frozen=True, slots=True)
class Ask:
    """What the page knows already, and how much more it can take."""

    since_ns: int = 0
    have: tuple[int, ...] = ()  # the number of the image it has of each camera; -1: none wanted
    first: int = 0  # the camera whose turn it is
    most_bytes: int = MOST_BYTES

    def has(self, nth: int) -> int | None:
        """The number of that camera's image; None if it wants none."""
        number = self.have[nth] if nth < len(self.have) else 0
        return None if number < 0 else number

    def in_turn(self, cameras: int) -> list[int]:
        """Whose images are sent first, if not all fit."""
        return [(self.first + nth) % cameras for nth in range(cameras)]


def ask_of(query: dict[str, str]) -> Ask:
    """Raise ValueError for what no page of ours asks."""
    have = tuple(int(number) for number in query.get("have", "").split(",") if number)
    most_bytes = min(MOST_BYTES, int(query.get("bytes", MOST_BYTES)))
    since_ns = round(float(query.get("since", 0)) * 1e6)
    return Ask(since_ns, have[:1024], abs(int(query.get("first", 0))), most_bytes)


def wanted(scene: Scene, ask: Ask) -> list[tuple[int, Wish]]:
    """Which cameras have a newer image than the page; none if it can take none."""
    if ask.most_bytes <= 0:
        return []
    with scene.lock:
        cameras = list(scene.cameras.values())
        found = []
        for nth in ask.in_turn(len(cameras)):
            seen, has = cameras[nth], ask.has(nth)
            if seen.newest is not None and has is not None and seen.number > has:
                found.append((nth, Wish(seen.newest, seen.number, has)))
    return found


def image_news(nth: int, picture: Picture) -> ImageNews:
    """Of one picture of that camera."""
    frame, found = picture.result.frame, picture.result.detections
    assert frame is not None
    height, width = frame.image.shape[:2]
    kinds = found.classes.tolist()
    return ImageNews(
        camera=nth,
        number=picture.number,
        captured_ms=frame.captured_ns / 1e6,
        size=len(picture.jpeg),
        width=width,
        height=height,
        found=[
            Found(
                (x0 / width, y0 / height, x1 / width, y1 / height),
                round(one.score, 3),
                one.name,
                kind,
                one.track,
            )
            for one, kind in zip(found, kinds, strict=True)
            for x0, y0, x1, y1 in [one.box]
        ],
    )


def camera_news(seen: Seen, since_ns: int, now_ns: int) -> CameraNews:
    """The scene's lock is held."""
    new = []
    for point in reversed(seen.points):
        if point.at_ns <= since_ns:
            break
        new.append((round(point.at_ns / 1e6, 1), round(point.age_ns / 1e6, 1)))
    live = seen.state is CameraState.LIVE
    latest = list(seen.points)[-OF_STAGES:] if live else []
    return CameraNews(
        name=seen.name,
        state=seen.state,
        for_ms=(now_ns - seen.since_ns) / 1e6,
        frames=seen.number,
        dropped=seen.dropped,
        missed=seen.missed,
        stages_ms={name: round(ms, 2) for name, ms in stage_medians_ms(latest).items()},
        points=new[::-1],
    )


def packed(news: News, pictures: Sequence[Picture]) -> bytes:
    """The length of the JSON in four bytes, big-endian, the JSON, and the images."""
    head = msgspec.json.encode(news)
    return b"".join([len(head).to_bytes(4, "big"), head, *(made.jpeg for made in pictures)])
