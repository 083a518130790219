"""The published surface of salesforce/blip-2: inputs and output. The modules beside it do the work."""

import os

from cog import BaseRunner, Input, Path
from pictures import read
from transformers.utils import logging
from viewer import Viewer, folder_from, use_threads


class Predictor(BaseRunner):
    def setup(self) -> None:
        use_threads()
        logging.set_verbosity_error()  # its advice is for who wrote the code, not for who calls the model
        logging.disable_progress_bar()
        self.viewer = Viewer.load(folder_from(os.environ))
        print(f"loaded on {self.viewer.model.device}")

    def run(
        self,
        image: Path = Input(description="The picture to look at."),
        caption: bool = Input(
            description="Describe the picture, instead of answering the question.", default=False
        ),
        question: str = Input(
            description="What to say about the picture.", default="What is this a picture of?"
        ),
        context: str = Input(
            description="Questions and answers from before, in the form 'Question: ... Answer: ...'.",
            default="",
        ),
        use_nucleus_sampling: bool = Input(
            description="Choose words by chance, among the likely ones.", default=False
        ),
        temperature: float = Input(
            description="How much chance, with nucleus sampling.", default=1, ge=0.5, le=1
        ),
    ) -> str:
        words = "" if caption else prompt(question, context)
        return self.viewer.say(read(image), words, temperature=temperature if use_nucleus_sampling else None)


def prompt(question: str, context: str) -> str:
    """The form in which BLIP-2 was taught to be asked."""
    asked = f"Question: {question.strip()} Answer:"
    return f"{context.strip()} {asked}" if context.strip() else asked
