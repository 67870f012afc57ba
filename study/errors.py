"""The exceptions that mean: the user can mend this."""


class InputError(Exception):
    """Bad input. The message names the value, what is allowed, and the remedy; commands print it and exit with 2."""


class ModelsGone(InputError):
    """Trained models are needed that are gone: the remedy is `study.search --rebuild`, whatever they are needed for."""
