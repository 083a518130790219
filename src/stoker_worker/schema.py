"""The OpenAPI document of a model, as ``cog build`` would have written it.

Called by ``stoker_worker.describe``. Pure, apart from looking at the loaded model. Source: section 5.5 of the
Cog contract; what we do otherwise is in ``schema_inputs`` and ``schema_outputs``.
"""

from __future__ import annotations

from typing import Any

from stoker_worker import schema_document, signature
from stoker_worker.errors import ModelError
from stoker_worker.loading import Loaded
from stoker_worker.schema_document import PREDICTION, RESERVED, TRAINING, Kind
from stoker_worker.schema_inputs import inputs
from stoker_worker.schema_outputs import is_iterator, output
from stoker_worker.sdk import cog


def document(predict: Loaded | None, train: Loaded | None = None) -> tuple[dict[str, Any], list[str]]:
    """The document of a model with either or both of its halves, and what its author should be told.

    Raises ``ModelError`` where a half cannot be served.
    """
    if predict is None and train is None:
        raise ModelError("no predict or train reference found in cog.yaml")
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    warnings: list[str] = []
    for kind, loaded in ((PREDICTION, predict), (TRAINING, train)):
        if loaded is not None:
            more = _components(kind, loaded, schemas, warnings)
            streaming = kind is PREDICTION and _streams(loaded, more[kind.output])
            schemas = {**more, **schemas}
            paths = {**schema_document.paths(kind, streaming=streaming), **paths}
    whole = {
        "components": {"schemas": schemas},
        "info": {"title": "Cog", "version": cog.__version__},
        "openapi": "3.0.2",
        "paths": paths,
    }
    return whole, warnings


def _components(
    kind: Kind, loaded: Loaded, taken: dict[str, Any], warnings: list[str]
) -> dict[str, dict[str, Any]]:
    taken_inputs = inputs(signature.parameters(loaded.function), taken=taken)
    clashes = sorted(RESERVED.intersection(taken_inputs.choices))
    if clashes:
        raise ModelError(
            f"an input with choices must not be called {clashes[0]}: the schema has that name itself"
        )
    warnings += [*loaded.warnings, *taken_inputs.warnings]
    return {
        kind.input: taken_inputs.component(kind.input),
        kind.output: output(signature.returns(loaded.function)),
        **taken_inputs.choices,
        **schema_document.components(kind),
    }


def _streams(loaded: Loaded, output_schema: dict[str, Any]) -> bool:
    if loaded.streaming and not is_iterator(output_schema):
        raise ModelError(
            "@streaming requires Iterator[...], AsyncIterator[...], ConcatenateIterator[...] or "
            "AsyncConcatenateIterator[...] as the return type"
        )
    return loaded.streaming
