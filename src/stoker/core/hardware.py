"""The hardware that models can ask for. The api lists it and checks against it; placement reads it."""

import msgspec


class Hardware(msgspec.Struct, frozen=True):
    sku: str
    name: str


HARDWARE = (Hardware(sku="cpu", name="CPU"),)
SKUS = frozenset(hardware.sku for hardware in HARDWARE)
