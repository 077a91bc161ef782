"""What fits into one reply of the chat: whole parts, so that no line and no link is cut apart."""

from collections.abc import Sequence


def as_many_as_fit(parts: Sequence[str], *, separator: str, size_max: int) -> list[str]:
    """Return the first parts that together, with separators between, have at most so many bytes.

    At least one, where there is any: a reply says something.
    """
    fitting = list(parts[:1])
    size = sum(len(part.encode()) for part in fitting)
    for part in parts[1:]:
        size += len(separator.encode()) + len(part.encode())
        if size > size_max:
            break
        fitting.append(part)
    return fitting
