"""Names: what is misspelt must not quietly be the default, or nothing."""

from collections.abc import Collection, Iterable


def check_names(what: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raises a ValueError if one of these names is unknown. `what` says of what they are the names."""
    for name in names:
        if name not in known:
            raise ValueError(f'{what}: "{name}" is none of {", ".join(known)}')
