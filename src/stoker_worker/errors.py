"""The one error that this package raises on purpose."""


class ModelError(Exception):
    """The model cannot be served as it is written; the message is one sentence for its author."""
