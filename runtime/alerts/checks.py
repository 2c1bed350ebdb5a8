"""What is wrong in a file that a person wrote: where, and what to type instead."""

import json
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

import msgspec


class RulesError(ValueError):
    """Rules that cannot be followed; says where in the file and what was wanted."""


def check_json(text: bytes) -> None:
    """Raise RulesError for what is no JSON, or has a name twice, of which one would be lost."""
    try:
        json.loads(text.decode(), object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise RulesError("is not UTF-8 text: wanted JSON") from None
    except json.JSONDecodeError as error:
        raise RulesError(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise RulesError("is nested too deeply: wanted a rules file") from None


def place_of(error: msgspec.ValidationError, kinds: Sequence[type[msgspec.Struct]]) -> str:
    """Msgspec's words with the place first, and the field that was probably meant.

    Its messages end in " - at `$.rules[0].held_s`", where something is below the top.
    """
    said, _, path = str(error).partition(" - at `$")
    place = path.rstrip("`").lstrip(".")
    if unknown := re.search(r"unknown field `(.*)`", said):
        fields = [_fields(kind) for kind in kinds]
        here = next((known for known in fields if _belongs(place, known)), fields[0])
        said = f"there is no field {unknown[1]!r}{near_miss(unknown[1], here)}"
    return f"{place}: {said}" if place else said


def near_miss(typed: str, known: Iterable[str]) -> str:
    """`: did you mean 'person'?` and all that there are."""
    every = sorted(known)
    if not every:
        return ", nor any other"
    close = get_close_matches(typed.lower(), every, n=1)
    meant = f": did you mean {close[0]!r}?" if close else ":"
    return f"{meant} There are {', '.join(every)}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object whose names are all different."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise RulesError(f"{name!r} is there twice in one object: keep one of them")
        found[name] = value
    return found


def _fields(kind: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def _belongs(place: str, fields: list[str]) -> bool:
    """Whether a place such as `rules[0]` or `zones[...]` is of the struct with these fields."""
    if place.startswith("rules"):
        return "held_s" in fields
    return "points" in fields if place.startswith("zones") else "version" in fields
