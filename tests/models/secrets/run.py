"""A secret in; shows how it looks to the model, and gives it out where it is told to."""

from typing import Optional

from cog import BaseRunner, Input, Secret


class Runner(BaseRunner):
    def run(self, key: Secret, spare: Optional[Secret] = None, show: bool = Input(default=False)) -> dict:
        print(f"the key is {key}")
        value = key.get_secret_value() or ""
        return {
            "text": str(key),
            "length": len(value),
            "spare": None if spare is None else str(spare),
            "value": value if show else None,
        }
