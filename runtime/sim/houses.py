"""Houses along the street: a textured front, an end wall, a roof."""

from dataclasses import dataclass

import cv2
import numpy as np

from stopline.runtime.arrays import Image
from stopline.runtime.sim.canvas import Canvas, bgr
from stopline.runtime.sim.facades import Front
from stopline.runtime.sim.projection import Floats, Pinhole
from stopline.runtime.sim.shade import Place, Shade
from stopline.runtime.sim.warp import Texture, warped

SLIVER_PX = 7.0  # a front seen narrower is one colour
PANES_PX = 14.0  # a metre of an end wall, from which its windows are drawn
NEAREST_M = 1.2  # fronts are cut off this close to the camera
DEEP_M, RIDGE_M = 11.0, 3.0  # how far a house reaches back, and a pitched roof up
GLASS = np.array([80.0, 74, 66])


@dataclass(frozen=True, slots=True, eq=False)
class House:
    """A house between z0 and z1, its front `front_m` beside the middle of the street."""

    front: Front
    side: int  # -1 left, +1 right
    front_m: float
    z0: float
    z1: float
    open_end: bool  # whether the wall towards z0 can be seen: no neighbour hides it

    @property
    def x(self) -> float:
        return self.side * self.front_m

    @property
    def z(self) -> float:
        return (self.z0 + self.z1) / 2

    @property
    def reach_m(self) -> float:
        return self.z1 - self.z0 + self.front_m + DEEP_M

    def draw(self, canvas: Canvas, place: Place) -> None:
        if self.z1 - place.stage.camera.position[2] < NEAREST_M:
            return
        if self.front.pitched:
            self._roof(canvas, place.shade)
        if self.open_end and place.stage.camera.position[2] < self.z0 - 1.0:
            self._end_wall(canvas, place.shade)
        self._face(canvas, place.shade)

    def _roof(self, canvas: Canvas, shade: Shade) -> None:
        x, h = self.side * self.front_m, self.front.height_m
        eave, ridge, up = x - self.side * 0.4, x + self.side * DEEP_M / 2, h + RIDGE_M
        slope = [[eave, h, self.z0], [eave, h, self.z1], [ridge, up, self.z1], [ridge, up, self.z0]]
        normal = np.array([[-self.side * 0.5, 0.86, 0.0]])
        paint = shade.faces(np.array([self.front.roof], float), normal)[0]
        canvas.polygon(canvas.camera.polygon(np.array(slope)), bgr(paint))

    def _end_wall(self, canvas: Canvas, shade: Shade) -> None:
        """The wall across the street's direction that faces the camera, and its windows."""
        x, h = self.side * self.front_m, self.front.height_m
        back = x + self.side * DEEP_M
        wall = [[x, 0, self.z0], [x, h, self.z0], [back, h, self.z0], [back, 0, self.z0]]
        if self.front.pitched:
            wall.insert(2, [(x + back) / 2, h + RIDGE_M, self.z0])
        near = canvas.camera.px_per_m(self.z0 - float(canvas.camera.position[2]))
        panes = self._panes() if near > PANES_PX else np.empty((0, 4, 3))
        points, _ = canvas.camera.project(np.concatenate([np.array(wall), *panes]))
        normal = np.array([[0.0, 0, -1]])
        paint = shade.faces(0.92 * np.array([self.front.wall], float), normal)[0]
        canvas.polygon(points[: len(wall)], bgr(paint))
        if len(panes):
            glass = bgr(shade.through_haze(GLASS * shade.ambient))
            count = len(panes)
            canvas.details(points[len(wall) :].reshape(-1, 4, 2), [glass] * count)

    def _panes(self) -> Floats:
        """(n, 4, 3) the windows in the end wall."""
        at = [
            (self.side * (self.front_m + across), 1.0 + 3.1 * storey)
            for storey in range(int(self.front.height_m // 3.2))
            for across in (2.6, 6.8)
        ]
        corners = np.array([[-0.6, 1.5, 0], [0.6, 1.5, 0], [0.6, 0, 0], [-0.6, 0, 0]])
        middles = np.array([(x, y, self.z0) for x, y in at]).reshape(-1, 1, 3)
        panes: Floats = middles + corners
        return panes

    def _face(self, canvas: Canvas, shade: Shade) -> None:
        """The textured front, cut off where it comes too near."""
        camera = canvas.camera
        z0 = max(self.z0, self._visible_from(camera))
        if z0 >= self.z1 - 0.05:
            return
        x, h = self.side * self.front_m, self.front.height_m
        shown = (self.z1 - z0) / (self.z1 - self.z0)
        # Seen from the street, the near end is the left one of a front on the left.
        ends, cut = (
            ((z0, self.z1), (1 - shown, 1.0)) if self.side < 0 else ((self.z1, z0), (0.0, shown))
        )
        corners = np.array([[x, h, ends[0]], [x, h, ends[1]], [x, 0, ends[1]], [x, 0, ends[0]]])
        seen = camera.camera_from_world(corners)
        points = camera.pixels_from_camera(seen)
        box = (*points.min(0).tolist(), *points.max(0).tolist())
        rows, columns = canvas.window(box)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            return
        if box[2] - box[0] < SLIVER_PX:
            plain = self.front.textures[self.side][-1].mean((0, 1))[:3]
            canvas.polygon(points, bgr(shade.through_haze(plain)))
            return
        texels = self.front.seen_through(
            shade.haze, float(shade.clear[0]), (self.side, _level(points, self.front, cut))
        )
        canvas.cover(rows, columns, _fitted(texels, cut, points, (rows, columns)), points)
        width = 0.12 * camera.px_per_m(float(seen[:2, 2].min()))
        if width > 1:  # an eave, which hides that the texture's edge is jagged
            eave = bgr(shade.through_haze(0.8 * np.array(self.front.wall) * shade.ambient))
            canvas.strokes(points[None, :2], min(width, 6), eave)

    def _visible_from(self, camera: Pinhole) -> float:
        """The z from which the front, at any height, is far enough ahead."""
        turned = camera.rotation[2]
        x = self.side * self.front_m - float(camera.position[0])
        low, high = -camera.position[1], self.front.height_m - camera.position[1]
        needed = NEAREST_M - turned[0] * x - min(turned[1] * low, turned[1] * high)
        return float(camera.position[2] + needed / turned[2])


def _fitted(
    texels: Texture, cut: tuple[float, float], points: Floats, window: tuple[slice, slice]
) -> Image:
    """The part of a texture between two shares of its width, as it falls into a window."""
    rows, columns = window
    h, w = texels.shape[:2]
    left, right = cut[0] * w, cut[1] * w
    source = np.array([[left, 0], [right, 0], [right, h], [left, h]], np.float32)
    target = (points - 0.5 - [columns.start, rows.start]).astype(np.float32)
    warp = cv2.getPerspectiveTransform(source - np.float32(0.5), target)
    size = (columns.stop - columns.start, rows.stop - rows.start)
    return warped(texels, np.asarray(warp), size)


def _level(points: Floats, front: Front, cut: tuple[float, float]) -> int:
    """Which halving has about as many texels as pixels, judged by the larger edges."""
    top_left, top_right, low_right, low_left = points.tolist()
    down = max(low_left[1] - top_left[1], low_right[1] - top_right[1], 1.0)
    across = max(abs(top_right[0] - top_left[0]), 1.0)
    h, w = front.textures[1][0].shape[:2]
    ratio = np.sqrt(h / down * w * (cut[1] - cut[0]) / across)
    return int(np.clip(np.log2(max(ratio, 1.0)) + 0.2, 0, 4))
