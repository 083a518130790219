"""What the server tells a worker when it starts it. Read once by ``main``, before the model is loaded."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

FD_VARIABLE = "STOKER_WORKER_FD"
CONFIG_VARIABLE = "STOKER_WORKER_CONFIG"
INSTANCE_VARIABLE = "STOKER_INSTANCE"


@dataclass(frozen=True)
class Config:
    predictor: str
    """``file.py:Name``."""
    mode: str
    """``predict`` or ``train``."""
    slots: int
    outbox: str
    """The directory that output files are copied into; only there does the server look for them."""
    memory_limit_bytes: int | None
    open_files_limit: int | None
    output_limit_bytes: int | None
    """Largest output (or item) that the server takes, its files not counted."""
    parent: int
    """The server's process id."""
    socket_fd: int


def take() -> Config:
    """Reads the configuration and removes it from the environment, so that the model does not see it."""
    fields = json.loads(os.environ.pop(CONFIG_VARIABLE))
    return Config(
        predictor=fields["predictor"],
        mode=fields.get("mode", "predict"),
        slots=fields.get("slots", 1),
        outbox=fields["outbox"],
        memory_limit_bytes=fields.get("memory_limit_bytes"),
        open_files_limit=fields.get("open_files_limit"),
        output_limit_bytes=fields.get("output_limit_bytes"),
        parent=fields["parent"],
        socket_fd=int(os.environ.pop(FD_VARIABLE)),
    )
