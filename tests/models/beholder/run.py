"""A picture and a question in, an answer out: vision models look like this."""

from cog import BaseRunner, Path


class Runner(BaseRunner):
    def run(self, image: Path, question: str = "What is this a picture of?") -> str:
        return f"{question} {image.read_bytes().decode()}"
