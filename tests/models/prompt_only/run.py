"""A prompt in, text out at once; nothing else to set, nothing counted."""

from cog import BaseRunner


class Runner(BaseRunner):
    def run(self, prompt: str) -> str:
        if prompt == "fall over":
            raise RuntimeError("fell over")
        return f"<{prompt}>"
