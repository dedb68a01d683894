"""The one package the charm depends on."""


def greet(word, hook):
    """What the charm says of itself."""
    return f"{word} from {hook}"
