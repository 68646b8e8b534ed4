"""Text for a person's terminal."""


def printable(text: str) -> str:
    """One line without control characters: names in it may come from the guest."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
