"""``stability-ai/sdxl``: pictures from words, from pictures, and into the holes of pictures.

The published surface and nothing else; the work is done by the modules beside it. The weights are those in
the folder that STOKER_CHECKPOINT names; a version made by a training has its LoRA in ``setup(weights)``.
"""

import tempfile

from cog import BaseRunner, Input, Path, current_scope
from generation import Generation
from order import REFINE_MODES, Order
from PIL import Image
from pipelines import Pipelines
from safety import SafetyChecker
from schedulers import SCHEDULERS
from watermark import embed


class Predictor(BaseRunner):
    def setup(self, weights: Path | None = None) -> None:
        pipelines = Pipelines.load()
        self.generation = Generation(pipelines, trained=weights)
        self.safety_checker = SafetyChecker.load(pipelines.folder, pipelines.hardware)
        self.outputs = Path(tempfile.mkdtemp())

    def run(
        self,
        prompt: str = Input(
            description="What the picture shows", default="An astronaut riding a rainbow unicorn"
        ),
        negative_prompt: str = Input(description="What it must not show", default=""),
        image: Path = Input(
            description="A picture to start from; with a mask, the picture to repaint", default=None
        ),
        mask: Path = Input(
            description="Where to repaint the image: white is made anew, black stays", default=None
        ),
        width: int = Input(
            description="Width in pixels, a multiple of 8; from an image without a mask, the image's",
            default=1024,
        ),
        height: int = Input(description="Height in pixels, as the width", default=1024),
        num_outputs: int = Input(description="How many pictures", ge=1, le=4, default=1),
        scheduler: str = Input(
            description="The method of going from noise to picture",
            choices=list(SCHEDULERS),
            default="K_EULER",
        ),
        num_inference_steps: int = Input(
            description="In how many steps: more take longer and are finer", ge=1, le=500, default=50
        ),
        guidance_scale: float = Input(
            description="How closely to follow the prompt; 1 ignores the negative one",
            ge=1,
            le=50,
            default=7.5,
        ),
        prompt_strength: float = Input(
            description="With an image: how much of it to give up for the prompt; 1 gives up all",
            ge=0.0,
            le=1.0,
            default=0.8,
        ),
        seed: int = Input(description="The same seed gives the same picture; none takes any", default=None),
        refine: str = Input(
            description="Whether and how the refiner takes part",
            choices=list(REFINE_MODES),
            default="no_refiner",
        ),
        high_noise_frac: float = Input(
            description="expert_ensemble_refiner: the share of the noise that is the base model's to remove",
            ge=0.0,
            le=1.0,
            default=0.8,
        ),
        refine_steps: int = Input(
            description="base_image_refiner: steps of the refiner; as many as the base model's if not given",
            default=None,
        ),
        apply_watermark: bool = Input(
            description="Mark pictures, invisibly, as made by a machine, so that others can tell",
            default=True,
        ),
        lora_scale: float = Input(
            description="How strongly trained weights work", ge=0.0, le=1.0, default=0.6
        ),
        replicate_weights: str = Input(
            description="Trained LoRA weights: a link to a safetensors file or to the tar of a training",
            default=None,
        ),
        disable_safety_checker: bool = Input(
            description="Give pictures unseen by the safety checker", default=False
        ),
    ) -> list[Path]:
        """The pictures as PNG files; those that the safety checker objects to are left out."""
        order = Order(
            prompt=prompt,
            negative_prompt=negative_prompt,
            image=image,
            mask=mask,
            width=width,
            height=height,
            num_outputs=num_outputs,
            scheduler=scheduler,
            num_inference_steps=num_inference_steps,
            guidance_scale=guidance_scale,
            prompt_strength=prompt_strength,
            seed=seed,
            refine=refine,
            high_noise_frac=high_noise_frac,
            refine_steps=refine_steps,
            lora_scale=lora_scale,
            weights=replicate_weights,
        )
        pictures = self.generation.make(order)
        if self.safety_checker is not None and not disable_safety_checker:
            pictures = self.safety_checker.passed(pictures)
        current_scope().record_metric("image_count", len(pictures))
        return [
            self._saved(number, embed(picture) if apply_watermark else picture)
            for number, picture in enumerate(pictures)
        ]

    def _saved(self, number: int, picture: Image.Image) -> Path:
        path = Path(self.outputs / f"out-{number}.png")
        picture.save(path)
        return path
