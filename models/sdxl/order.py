"""What one prediction asks for, and what is wrong with it. Made by ``predict``, done by ``generation``.

Only what the inputs' schema cannot say is checked here; a wrong order raises ValueError in plain words,
before anything is computed.
"""

from dataclasses import dataclass
from pathlib import Path

REFINE_MODES = ("no_refiner", "expert_ensemble_refiner", "base_image_refiner")
REFINE_STRENGTH = 0.3
"""How much noise a refiner adds to a finished picture before it starts: what SDXL's refiner was meant for."""
STEP = 8
"""Points of a picture to one of its latent."""
LARGEST = 4096


@dataclass(frozen=True, kw_only=True)
class Order:
    prompt: str
    negative_prompt: str
    image: Path | None
    mask: Path | None
    width: int
    height: int
    num_outputs: int
    scheduler: str
    num_inference_steps: int
    guidance_scale: float
    prompt_strength: float
    seed: int | None
    refine: str
    high_noise_frac: float
    refine_steps: int | None
    lora_scale: float
    weights: str | None

    @property
    def strength(self) -> float:
        """How much noise the base model starts from."""
        return 1.0 if self.image is None else self.prompt_strength

    @property
    def steps_of_refiner(self) -> int:
        """How finely the refiner divides the way from noise to picture, of which it goes only the end."""
        if self.refine != "base_image_refiner" or self.refine_steps is None:
            return self.num_inference_steps
        return self.refine_steps

    def check(self, *, has_refiner: bool) -> None:
        self._check_size()
        if self.mask is not None and self.image is None:
            raise ValueError("a mask needs an image to repaint; give image as well")
        if self.seed is not None and not -(2**63) <= self.seed < 2**64 - self.num_outputs:
            raise ValueError(f"seed {self.seed} does not fit into 64 bits")
        if int(self.num_inference_steps * self.strength) < 1:
            raise ValueError(
                f"prompt_strength {self.prompt_strength:g} of {self.num_inference_steps} steps is less than "
                "one step; raise prompt_strength or num_inference_steps"
            )
        self._check_refiner(has_refiner)

    def _check_size(self) -> None:
        for name, value in (("width", self.width), ("height", self.height)):
            if value % STEP or not STEP <= value <= LARGEST:
                raise ValueError(f"{name} must be a multiple of {STEP} from {STEP} to {LARGEST}, not {value}")

    def _check_refiner(self, has_refiner: bool) -> None:
        if self.refine == "no_refiner":
            return
        if not has_refiner:
            raise ValueError(
                f"{self.refine} needs the refiner's weights, and this checkpoint has none: "
                "it lacks the folder refiner. Use no_refiner, or have it added"
            )
        if self.refine == "base_image_refiner" and int(self.steps_of_refiner * REFINE_STRENGTH) < 1:
            name = "num_inference_steps" if self.refine_steps is None else "refine_steps"
            raise ValueError(
                f"the refiner does {REFINE_STRENGTH:.0%} of {self.steps_of_refiner} steps, which is less "
                f"than one; raise {name}"
            )
