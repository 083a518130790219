"""The seven schedulers by their published names: choices for ``predict``, made for ``generation``."""

from typing import Any

from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    HeunDiscreteScheduler,
    PNDMScheduler,
)

SCHEDULERS: dict[str, tuple[type, dict[str, Any]]] = {
    "DDIM": (DDIMScheduler, {"clip_sample": False, "set_alpha_to_one": False}),
    "DPMSolverMultistep": (DPMSolverMultistepScheduler, {}),
    "HeunDiscrete": (HeunDiscreteScheduler, {}),
    "KarrasDPM": (DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    "K_EULER_ANCESTRAL": (EulerAncestralDiscreteScheduler, {}),
    "K_EULER": (EulerDiscreteScheduler, {}),
    "PNDM": (PNDMScheduler, {"skip_prk_steps": True, "set_alpha_to_one": False}),
}
"""The class of each, and what it is told beyond the noise schedule: what Stable Diffusion was trained for."""


def make(name: str, config: Any) -> Any:
    """A fresh scheduler, so that nothing is left in it of a run before; ``config`` is the checkpoint's."""
    scheduler, options = SCHEDULERS[name]
    return scheduler.from_config(config, **options)  # type: ignore[attr-defined]
