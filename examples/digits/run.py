"""Which digit is in the picture? A classifier that was trained when its environment was built."""

import sys
from pathlib import Path as LocalPath

import joblib
from cog import BaseModel, BaseRunner, Input, Path
from ink import counts
from PIL import Image


class Answer(BaseModel):
    digit: int
    confidence: float
    probabilities: list[float]  # of 0, 1, 2 ... 9


class Runner(BaseRunner):
    def setup(self) -> None:
        trained = joblib.load(LocalPath(sys.prefix) / "digits.joblib")
        self.model = trained["model"]
        print(f"accuracy on digits it had not seen: {trained['accuracy']:.1%}")

    def run(
        self,
        image: Path = Input(
            description="One written digit, dark on light or light on dark", accept="image/*"
        ),
    ) -> Answer:
        with Image.open(image) as picture:
            numbers = counts(picture)
        for row in numbers.reshape(8, 8):
            print("".join(" .:-=+*#%@"[int(number * 9 / 16)] * 2 for number in row))
        probabilities = [round(float(share), 4) for share in self.model.predict_proba([numbers])[0]]
        digit = max(range(10), key=probabilities.__getitem__)
        self.record_metric("confidence", probabilities[digit])
        return Answer(digit=digit, confidence=probabilities[digit], probabilities=probabilities)
