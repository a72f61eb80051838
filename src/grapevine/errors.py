"""The errors that Grapevine raises for wrong input, and the check that raises them. It waits for no PyTorch."""


class InputError(ValueError):
    """Wrong input: the message says what was expected, what came and what to do."""


def check(condition: bool, message: str) -> None:
    """Raise an InputError with `message` unless the condition holds."""
    if not condition:
        raise InputError(message)
