"""How things are lit: the sky's and the sun's light, lamps, headlights, and the haze between."""

from dataclasses import dataclass

import numpy as np

from stopline.runtime.sim.chance import between, dice, happens
from stopline.runtime.sim.projection import Floats
from stopline.runtime.sim.settings import RoadSettings

LIGHT_KEY = 11
HEADLAMP = np.array([0.88, 0.97, 1.0])


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """The light of one street; colours are BGR, 1 is a surface as its paint is."""

    ambient: Floats  # (3,)
    sun: Floats  # (3,), zero without direct sun
    sun_direction: Floats  # (3,) unit, towards the sun, world
    haze: Floats  # (3,) 0..255
    haze_m: float  # distance at which 1/e of the contrast is left
    zenith: Floats  # (3,) 0..255, the sky overhead
    horizon: Floats  # (3,) 0..255, the sky at the horizon
    clouds: float  # 0..1
    artificial: float  # 0..1: how much lamps and headlights count against the daylight
    wet: float  # 0..1
    lamp: Floats  # (3,) what a street lamp adds right below it
    headlamp: Floats  # (3,) what the camera's own car adds close ahead

    @property
    def exposure_s(self) -> float:
        """How long the shutter is open: longer in the dark."""
        return {0.0: 1 / 700, 0.5: 1 / 200}.get(self.artificial, 1 / 75)

    @property
    def brightest(self) -> Floats:
        """(3,) the most light that any place on the ground can have."""
        return self.on_ground + self.headlamp + 1.2 * self.lamp

    @property
    def shadow(self) -> float:
        """0..1 how much of the light on the ground is the sun's."""
        direct = float(self.sun.mean()) * float(self.sun_direction[1])
        return direct / float(self.on_ground.mean())

    @property
    def on_ground(self) -> Floats:
        """(3,) the daylight on open ground."""
        return self.ambient + self.sun * float(self.sun_direction[1])

    def headlamps_at(self, ahead: Floats, aside: Floats) -> Floats:
        """0..1 how much the own headlamps reach a point, metres in camera coordinates."""
        spread = np.exp(-((aside / (1.6 + 0.24 * np.maximum(ahead, 0))) ** 2))
        reach: Floats = spread / (1 + (ahead / 20) ** 2) * np.clip(ahead / 3, 0, 1)
        return reach

    def haze_left(self, depth_m: Floats) -> Floats:
        """Share of the contrast that is left at a distance."""
        left: Floats = np.exp(-np.maximum(depth_m, 0) / self.haze_m)
        return left


def lamp_at(distance_m: Floats) -> Floats:
    """0..1 how much of a lamp's light falls this far from its foot."""
    fallen: Floats = 1 / (1 + (distance_m / 6.0) ** 2) ** 2
    return fallen


def light_of(settings: RoadSettings) -> Light:
    """The light of a street, decided by its time of day, its rain and its seed."""
    rng = dice(settings.seed, LIGHT_KEY)
    light = {"day": _day, "dusk": _dusk, "night": _night}[settings.time_of_day](rng)
    return _in_rain(light, settings.rain) if settings.rain > 0 else light


def _lamp_colour(rng: np.random.Generator) -> Floats:
    """Sodium or white."""
    return np.array([0.38, 0.72, 1.0]) if happens(rng, 0.5) else np.array([0.92, 0.98, 1.0])


def _direction(azimuth: float, elevation: float) -> Floats:
    return np.array(
        [
            np.sin(azimuth) * np.cos(elevation),
            np.sin(elevation),
            np.cos(azimuth) * np.cos(elevation),
        ]
    )


def _day(rng: np.random.Generator) -> Light:
    overcast = happens(rng, 0.3)
    warm = between(rng, -0.05, 0.08)
    level = between(rng, 0.95, 1.25)
    direct = 0.0 if overcast else between(rng, 0.5, 0.8)
    sky = between(rng, 0.72, 0.9) if overcast else between(rng, 0.46, 0.62)
    grey = np.array([225.0, 222, 218]) * between(rng, 0.8, 1.05)
    blue = np.array([between(rng, 205, 240), between(rng, 140, 175), between(rng, 70, 120)])
    pale = np.array([240.0, 228, 212]) * between(rng, 0.9, 1.03)
    return Light(
        ambient=level * sky * np.array([1.08 - warm, 1.0, 0.95 + warm]),
        sun=level * direct * np.array([0.88 - warm, 0.98, 1.04 + warm]),
        sun_direction=_direction(between(rng, -np.pi, np.pi), between(rng, 0.45, 1.15)),
        haze=np.minimum(grey if overcast else pale, 250),
        haze_m=between(rng, 160, 600),
        zenith=grey * 0.93 if overcast else blue,
        horizon=np.minimum(grey if overcast else pale, 250),
        clouds=1.0 if overcast else between(rng, 0.0, 0.7),
        artificial=0.0,
        wet=0.0,
        lamp=np.zeros(3),
        headlamp=np.zeros(3),
    )


def _dusk(rng: np.random.Generator) -> Light:
    level = between(rng, 0.34, 0.6)
    glow = np.array([between(rng, 90, 150), between(rng, 130, 170), between(rng, 205, 245)])
    above = np.array([between(rng, 110, 150), between(rng, 75, 100), between(rng, 60, 90)])
    return Light(
        ambient=level * np.array([1.08, 0.95, 0.95]),
        sun=level * between(rng, 0.0, 0.6) * np.array([0.45, 0.75, 1.15]),
        sun_direction=_direction(between(rng, -1.2, 1.2), between(rng, 0.08, 0.2)),
        haze=0.75 * glow,
        haze_m=between(rng, 140, 400),
        zenith=above,
        horizon=glow,
        clouds=between(rng, 0.1, 0.8),
        artificial=0.5,
        wet=0.0,
        lamp=0.35 * _lamp_colour(rng),
        headlamp=0.25 * HEADLAMP,
    )


def _night(rng: np.random.Generator) -> Light:
    level = between(rng, 0.13, 0.25)
    glow = between(rng, 0.7, 1.6)
    return Light(
        ambient=level * np.array([1.2, 1.0, 0.9]),
        sun=np.zeros(3),
        sun_direction=_direction(between(rng, -1, 1), 0.7),
        haze=glow * np.array([26.0, 22, 24]),
        haze_m=between(rng, 120, 350),
        zenith=np.array([22.0, 12, 9]) * glow,
        horizon=np.array([42.0, 34, 38]) * glow,
        clouds=between(rng, 0.0, 0.6),
        artificial=1.0,
        wet=0.0,
        lamp=between(rng, 0.55, 0.95) * _lamp_colour(rng),
        headlamp=between(rng, 0.6, 1.0) * HEADLAMP,
    )


def _in_rain(dry: Light, rain: float) -> Light:
    """Clouds take the sun, the air takes the contrast, and the ground begins to shine."""
    grey = np.full(3, dry.horizon.mean())
    mixed = dry.horizon + rain * (0.8 * grey - dry.horizon)
    return Light(
        ambient=dry.ambient + 0.3 * rain * dry.sun,
        sun=dry.sun * (1 - min(1.0, 2 * rain)),
        sun_direction=dry.sun_direction,
        haze=0.92 * mixed,
        haze_m=dry.haze_m / (1 + 2.0 * rain),
        zenith=dry.zenith + rain * (0.75 * grey - dry.zenith),
        horizon=mixed,
        clouds=max(dry.clouds, min(1.0, 2 * rain)),
        artificial=max(dry.artificial, 0.25 * rain),
        wet=min(1.0, 0.4 + 0.6 * rain),
        lamp=dry.lamp,
        headlamp=dry.headlamp,
    )
