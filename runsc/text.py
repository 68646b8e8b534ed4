"""Text for a person's terminal."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def printable(text: str) -> str:
    """One line without control characters: names in it may come from the guest."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def table(rows: "Sequence[tuple[str, ...]]", gap: str) -> str:
    """Rows of cells, of which there is one at least, as lines with columns `gap` apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join(gap.join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)
