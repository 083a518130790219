"""Carries an order out with base model, refiner and trained weights. Called by ``predict``."""

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pictures
import schedulers
import torch
from adapters import Adapters
from order import REFINE_STRENGTH, Order
from PIL import Image
from pipelines import Pipelines


class Generation:
    def __init__(self, pipelines: Pipelines, *, trained: Path | None):
        self._pipelines = pipelines
        self._adapters = Adapters(pipelines.text)
        # Kept apart: a scheduler made of another's configuration takes over what that was told, too.
        self._schedule = pipelines.text.scheduler.config
        self._trained = trained
        if trained is not None:
            self._adapters.use_file(trained, scale=1.0)  # a training's weights that do not fit fail at setup

    def make(self, order: Order) -> list[Image.Image]:
        """The pictures. The n-th of several is the only one of an order with a seed that is n greater."""
        order.check(has_refiner=self._pipelines.refiner is not None)
        seed = secrets.randbits(32) if order.seed is None else order.seed
        print(f"Using seed: {seed}")
        order = replace(order, prompt=self._with_weights(order))
        # On the CPU whatever the device, so that a seed means the same noise everywhere.
        generators = [torch.Generator().manual_seed(seed + n) for n in range(order.num_outputs)]
        with torch.inference_mode():
            return self._make(order, generators)

    def _with_weights(self, order: Order) -> str:
        """Switches trained weights on or off; the prompt, with the words that stand for what was learned."""
        if order.weights:
            return self._adapters.use(order.weights, scale=order.lora_scale).translate(order.prompt)
        if self._trained is not None:
            return self._adapters.use_file(self._trained, scale=order.lora_scale).translate(order.prompt)
        self._adapters.use_none()
        return order.prompt

    def _make(self, order: Order, generators: list[torch.Generator]) -> list[Image.Image]:
        pipeline, source = self._source(order)
        pipeline.scheduler = schedulers.make(order.scheduler, self._schedule)
        common = {
            "prompt": order.prompt,
            "negative_prompt": order.negative_prompt,
            "guidance_scale": order.guidance_scale,
            "num_images_per_prompt": order.num_outputs,
            "generator": generators,
        }
        base: dict[str, Any] = {"num_inference_steps": order.num_inference_steps}
        refining = self._refining(order, pipeline.scheduler)
        if refining is not None:
            base |= {"output_type": "latent"}
            if "denoising_start" in refining:
                base["denoising_end"] = refining["denoising_start"]
        made = self._pipelines.ready(pipeline)(**common, **source, **base).images
        if refining is not None:
            made = self._refine(order, made, common | refining)
        if order.mask is not None:
            made = [Image.composite(each, source["image"], source["mask_image"]) for each in made]
        return made

    def _source(self, order: Order) -> tuple[Any, dict[str, Any]]:
        """The pipeline for the order and what it starts from."""
        size = {"width": order.width, "height": order.height}
        if order.image is None:
            return self._pipelines.text, size
        image = pictures.open_picture(order.image, "image")
        strength = {"strength": order.prompt_strength}
        if order.mask is None:
            return self._pipelines.image, {"image": pictures.fitted(image)} | strength
        mask = pictures.open_picture(order.mask, "mask", mode="L")
        asked = (order.width, order.height)
        layers = {"image": image.resize(asked, Image.Resampling.LANCZOS), "mask_image": mask.resize(asked)}
        return self._pipelines.inpaint, layers | size | strength

    def _refining(self, order: Order, scheduler: Any) -> dict[str, Any] | None:
        """What the refiner is told beyond what both models are; None where it has nothing to do."""
        if order.refine == "no_refiner":
            return None
        if order.refine == "base_image_refiner":
            return {"strength": REFINE_STRENGTH, "num_inference_steps": order.steps_of_refiner}
        if not _leaves_steps(order, scheduler):
            print("high_noise_frac leaves the refiner no step: the base model makes the whole picture")
            return None
        return {
            "denoising_start": float(order.high_noise_frac),
            "num_inference_steps": order.steps_of_refiner,
        }

    def _refine(self, order: Order, latents: torch.Tensor, options: dict[str, Any]) -> list[Image.Image]:
        refiner: Any = self._pipelines.refiner
        refiner.scheduler = schedulers.make(order.scheduler, self._schedule)
        return self._pipelines.ready(refiner)(image=latents, **options).images


def _leaves_steps(order: Order, scheduler: Any) -> bool:
    """Whether there is a step for the refiner among those that the models share; one must be the base's."""
    scheduler.set_timesteps(order.num_inference_steps)
    cutoff = round(scheduler.config.num_train_timesteps * (1 - order.high_noise_frac))
    skipped = order.num_inference_steps - int(order.num_inference_steps * order.strength)
    if not bool((scheduler.timesteps[skipped * scheduler.order :] >= cutoff).any()):
        raise ValueError(
            f"high_noise_frac {order.high_noise_frac:g} leaves the base model no step; raise it"
            + ("" if order.image is None else ", or raise prompt_strength")
        )
    return bool((scheduler.timesteps < cutoff).any())
