"""A function as a model."""

from cog import Input


def greet(name: str = Input(description="Whom to greet", default="world")) -> str:
    return f"hello {name}"
