"""Content negotiation: the media type of an answer, chosen from the `Accept` header of the request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence


def best_type(accept: str, offered: Sequence[str]) -> str | None:
    """Return the offered media type that a client prefers, or None when it accepts none of them.

    Args:
        accept: the `Accept` header; an empty one accepts everything.
        offered: media types; the first one answers `*/*`.
    """
    for wanted in _by_preference(accept.strip() or "*/*"):
        for name in offered:
            if wanted in {"*/*", name} or (wanted.endswith("/*") and name.startswith(wanted[:-1])):
                return name
    return None


def _by_preference(accept: str) -> Iterator[str]:
    ranked = []
    for position, part in enumerate(accept.split(",")):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    quality = float(value)
                except ValueError:
                    quality = 0.0
        if name and quality > 0:
            # Among equal qualities the more specific range wins, then the earlier one.
            ranked.append((-quality, name.count("*"), position, name.lower()))
    yield from (name for *_, name in sorted(ranked))
