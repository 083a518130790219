"""Plays the story of a client that lives in another interpreter: Node, or the other Python client."""

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.servers import StokerServer

MODELS = ("empty", "concatenate", "file_round_trip", "cancellable")
"""What the stories run; their versions are the last arguments, in this order."""


PUBLISHED = "c" * 64
"""A version id that ``empty`` stands in for once :func:`stocked` was called, as ``acme/empty``."""

SOUGHT = "hollowness"
"""A word that only ``empty`` is found by, of all that other tests leave on the server."""


def stocked(server: StokerServer, empty: str) -> None:
    """Describes the model, puts it into a collection, keeps an example of it, and gives it a published id."""
    own, wait = "/v1/stoker/models/local/empty", {"prefer": "wait"}
    with server.client() as client:
        described = client.patch("/v1/models/local/empty", json={"description": f"Pure {SOUGHT}."})
        described.raise_for_status()
        client.post("/v1/stoker/collections", json={"slug": "images", "name": "Images"})
        client.put("/v1/stoker/collections/images/models/local/empty").raise_for_status()
        body = {"version": f"local/empty:{empty}", "input": {"text": "kept"}}
        made = client.post("/v1/predictions", json=body, headers=wait).raise_for_status().json()
        example = {"prediction": made["id"], "default": True}
        client.post(f"{own}/examples", json=example).raise_for_status()
        aliases = {"aliases": [{"model": "acme/empty", "id": PUBLISHED}]}
        client.put(f"{own}/versions/{empty}/aliases", json=aliases).raise_for_status()


def paged(server: StokerServer, empty: str) -> None:
    """Makes enough predictions for a second page."""
    with server.client() as client:
        while client.get("/v1/predictions").raise_for_status().json()["next"] is None:
            for _ in range(25):
                client.post("/v1/predictions", json={"version": empty, "input": {}}).raise_for_status()


def tell(command: Sequence[str | Path], variables: dict[str, str]) -> Any:
    """What the program says last, which is JSON; it must succeed."""
    done = subprocess.run(
        command, env=os.environ | variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
