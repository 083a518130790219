"""A model as it was written for years: BasePredictor, predict, and typing's old names."""

from typing import List, Optional

from cog import BasePredictor, Input


class Predictor(BasePredictor):
    def setup(self):
        self.prefix = "old"

    def predict(
        self,
        prompt: str = Input(description="Prompt"),
        num_outputs: int = Input(description="How many", default=1, ge=1, le=4),
        seed: int = Input(description="Leave blank to randomize the seed", default=None),
        negative_prompt: Optional[str] = None,
    ) -> List[str]:
        return [f"{self.prefix} {prompt} {seed} {negative_prompt}"] * num_outputs
