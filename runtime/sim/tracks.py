"""Track numbers: one for each object of a street, the same whenever it is seen."""

from enum import IntEnum


class Kind(IntEnum):
    """What is numbered; each kind counts for itself."""

    LAMPPOST = 1
    SIGN = 2
    SIGNAL = 3
    PARKED = 4
    STANDING = 5
    STROLLER = 6
    CROSSER = 7
    TRAFFIC = 8
    CYCLE = 9
    RIDER = 10
    CROSS_TRAFFIC = 11
    PARKED_CYCLE = 12


def track(kind: Kind, place: int, slot: int) -> int:
    """The number of the `slot`-th object (may be negative) of a kind at a place 0..255."""
    return (int(kind) << 48) | (place & 0xFF) << 40 | (slot + (1 << 39))
