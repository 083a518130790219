"""A Stable Diffusion XL checkpoint of a few megabytes: base, refiner and safety checker, random weights.

Made by ``python models/tiny sdxl DIR`` and by the tests. Every class and file is that of a real checkpoint,
so the model loads it by its ordinary code; the pictures, 64 x 64 points, are colourful noise that depends on
the prompt, the seed and the scheduler. The safety checker objects to plain red and to nothing like noise.
"""

import json
from pathlib import Path
from pydoc_data.topics import topics

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
)

SIDE = 64
"""Width and height of a picture in points; the latent one is an eighth of it, as in the real model."""
WORDS = 1000
START, END = "<|startoftext|>", "<|endoftext|>"
FIRST_ENCODER, SECOND_ENCODER = 32, 48
"""Widths of the two text encoders. The base reads both beside each other, the refiner only the second."""


def make(folder: Path, *, seed: int = 0) -> None:
    """Writes the checkpoint into ``folder``; the same seed gives the same weights."""
    torch.manual_seed(seed)
    vocabulary, merges = _vocabulary()
    end = vocabulary[END]
    second = CLIPTextModelWithProjection(_text_config(SECOND_ENCODER, end, activation="gelu"))
    tokenizer_2 = CLIPTokenizer(vocabulary, merges, pad_token="!", model_max_length=77)
    vae, scheduler = _vae(), _scheduler()
    StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(_text_config(FIRST_ENCODER, end, activation="quick_gelu")),
        text_encoder_2=second,
        tokenizer=CLIPTokenizer(vocabulary, merges, model_max_length=77),
        tokenizer_2=tokenizer_2,
        unet=_unet(FIRST_ENCODER + SECOND_ENCODER, sizes=6),
        scheduler=scheduler,
        add_watermarker=False,
    ).save_pretrained(folder)
    StableDiffusionXLImg2ImgPipeline(
        vae=vae,
        text_encoder=None,
        text_encoder_2=second,
        tokenizer=None,
        tokenizer_2=tokenizer_2,
        unet=_unet(SECOND_ENCODER, sizes=5),
        scheduler=scheduler,
        requires_aesthetics_score=True,
        force_zeros_for_empty_prompt=False,
        add_watermarker=False,
    ).save_pretrained(folder / "refiner")
    _save_safety_checker(folder)


def _vocabulary() -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Learned from the language reference that every Python has; the way CLIP writes it down."""
    tokenizer = Tokenizer(models.BPE(unk_token=END, end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=WORDS,
        show_progress=False,
        end_of_word_suffix="</w>",
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator((topics[name] for name in sorted(topics)), trainer)
    learned = json.loads(tokenizer.to_str())["model"]
    words: dict[str, int] = learned["vocab"]
    merges = [(left, right) for left, right in learned["merges"]]
    return words | {START: len(words), END: len(words) + 1}, merges


def _text_config(width: int, end: int, *, activation: str) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=end + 1,
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=width,
        num_hidden_layers=3,
        num_attention_heads=4,
        hidden_act=activation,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=0 if activation == "gelu" else end,
        initializer_range=0.5,
    )


def _unet(text_width: int, *, sizes: int) -> UNet2DConditionModel:
    """``sizes`` is how many numbers the model is told of the picture's size, crop and worth."""
    unet = UNet2DConditionModel(
        sample_size=SIDE // 8,
        # One level more than the real one has: attention begins further down, so 1024 points take seconds.
        block_out_channels=(16, 32, 64, 64),
        down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        transformer_layers_per_block=(1, 1, 1, 2),
        attention_head_dim=(2, 2, 4, 4),
        norm_num_groups=16,
        use_linear_projection=True,
        cross_attention_dim=text_width,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=8 * sizes + SECOND_ENCODER,
    )
    _amplify(unet.conv_out, 4)
    return unet


def _vae() -> AutoencoderKL:
    vae = AutoencoderKL(
        block_out_channels=(8, 16, 32, 32),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8,
        sample_size=SIDE,
        scaling_factor=0.13025,
        force_upcast=True,
    )
    _amplify(vae.decoder.conv_out, 2)
    return vae


def _amplify(layer: torch.nn.Conv2d, factor: float) -> None:
    """Untrained, a last layer only whispers: all pictures would be the same grey."""
    with torch.no_grad():
        layer.weight.mul_(factor)


def _scheduler() -> EulerDiscreteScheduler:
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        timestep_spacing="leading",
    )


def _save_safety_checker(folder: Path) -> None:
    vision = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4}
    config = CLIPConfig(
        vision_config=vision | {"image_size": SIDE, "patch_size": 16, "projection_dim": 16},
        text_config={"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "vocab_size": 100},
        projection_dim=16,
    )
    checker = StableDiffusionSafetyChecker(config).eval()
    size = {"height": SIDE, "width": SIDE}
    processor = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=size)
    _object_to_red(checker, processor)
    checker.save_pretrained(folder / "safety_checker")
    processor.save_pretrained(folder / "feature_extractor")


@torch.no_grad()
def _object_to_red(checker: StableDiffusionSafetyChecker, processor: CLIPImageProcessorPil) -> None:
    """One concept points from other pictures to a red one; its threshold lies between the two."""
    noise = torch.randint(0, 256, (12, SIDE, SIDE, 3), dtype=torch.uint8).numpy()
    others = [
        Image.new("RGB", (SIDE, SIDE), colour) for colour in ("grey", "green", "blue", "white", "black")
    ]
    pictures = [Image.new("RGB", (SIDE, SIDE), "red"), *others, *map(Image.fromarray, noise)]
    pixels = processor(pictures, return_tensors="pt").pixel_values
    embedded = torch.nn.functional.normalize(checker.visual_projection(checker.vision_model(pixels)[1]))
    concept = torch.nn.functional.normalize(embedded[0] - embedded[1:].mean(0), dim=0)
    alike = embedded @ concept
    checker.concept_embeds[0] = concept
    checker.concept_embeds_weights[0] = (alike[0] + alike[1:].max()) / 2
