"""What goes with a model, said before it goes. Used by ``catalog remove``."""

from collections.abc import Iterator
from typing import Any

import click

from stoker.cli.cataloguing.adding import own_model
from stoker.cli.server.client import Api
from stoker.cli.terminal import text

_MOST = 10_000


def consequences(api: Api, model: str) -> Iterator[str]:
    """A line for each thing that goes or stays; raises where there is no such model."""
    if own_model(api, model) is None:
        raise click.ClickException(f"{model} is not on the server.")
    versions = [one["id"] for one in api.pages(f"/models/{model}/versions", limit=_MOST)]
    yield f"{model} goes, with {text.count(len(versions), 'version')}:"
    for id in versions:
        published = api.get(f"/stoker/models/{model}/versions/{id}/aliases")["aliases"]
        instead = f", which stands in for {text.count(len(published), 'published id')}" if published else ""
        yield f"  {id}{instead}"
    mine = {f"{model}:{id}" for id in versions}
    for checkpoint in api.get("/stoker/checkpoints")["results"]:
        if mine & set(checkpoint["versions"]):
            yield _weights(checkpoint, mine)


def _weights(checkpoint: dict[str, Any], mine: set[str]) -> str:
    told = f"  weights from {checkpoint['source']} ({text.size(checkpoint['size_bytes'])})"
    others = [version.partition(":")[0] for version in checkpoint["versions"] if version not in mine]
    return f"{told} stay: {others[0]} runs with them" if others else f"{told} go soon after"
