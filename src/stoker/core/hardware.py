"""The hardware that models can ask for. The api lists it and checks against it; placement reads it. Pure.

An installation offers what its operator configured, else what was found on the machine; ``cpu`` always.
"""

import re
from collections import Counter
from collections.abc import Sequence

import msgspec


class Hardware(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    sku: str
    name: str
    micro_usd_per_s: int = 0
    """Price of a second in millionths of a US dollar: 225 is $0.000225, $0.81 an hour."""
    gpus: int = 0
    """How many GPUs one instance gets."""
    count: int | None = None
    """How many instances there is hardware for; None where nobody counted."""


CPU = Hardware(sku="cpu", name="CPU")

_KNOWN = (
    (r"a100.*80gb", "gpu-a100-large", "Nvidia A100 (80GB)"),
    (r"h100", "gpu-h100", "Nvidia H100"),
    (r"l40s", "gpu-l40s", "Nvidia L40S"),
    (r"a40", "gpu-a40-large", "Nvidia A40"),
    (r"(tesla )?t4", "gpu-t4", "Nvidia T4"),
)
"""What Replicate calls them (section 5.3 of the HTTP contract)."""
_SIZES = (1, 2, 4, 8)


def offered(configured: Sequence[Hardware], gpus: Sequence[str]) -> tuple[Hardware, ...]:
    """What this installation offers; ``gpus`` are the names that the driver gives to the machine's GPUs."""
    chosen = tuple(configured) or detected(gpus)
    return chosen if any(one.sku == CPU.sku for one in chosen) else (CPU, *chosen)


def detected(gpus: Sequence[str]) -> tuple[Hardware, ...]:
    """A SKU for each kind of GPU and each size that the machine has enough of. Free: it is one's own."""
    found: list[Hardware] = [CPU]
    for (sku, name), total in Counter(map(_called, gpus)).items():
        for size in _SIZES:
            if size <= total:
                many, times = (f"-{size}x", f"{size}x ") if size > 1 else ("", "")
                found.append(
                    Hardware(sku=f"{sku}{many}", name=f"{times}{name} GPU", gpus=size, count=total // size)
                )
    return tuple(found)


def kind(sku: str) -> str:
    """Which GPUs a SKU means, whatever the number of them: ``gpu-h100-2x`` means ``gpu-h100``."""
    return re.sub(r"-\d+x$", "", sku)


def kind_of(gpu: str) -> str:
    """The same from the name that the driver gives."""
    return _called(gpu)[0]


def _called(gpu: str) -> tuple[str, str]:
    plain = re.sub(r"^nvidia\s+", "", gpu.strip(), flags=re.IGNORECASE)
    for pattern, sku, name in _KNOWN:
        if re.match(pattern + r"\b", plain, re.IGNORECASE):
            return sku, name
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-") or "other"
    return f"gpu-{slug}", f"Nvidia {plain}"
