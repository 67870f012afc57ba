"""The one exception that means: the user can mend this."""


class InputError(Exception):
    """Bad input. The message names the value, what is allowed, and the remedy; commands print it and exit with 2."""
