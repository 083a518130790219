"""Section 5.5 of the Cog contract: the whole document, field for field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stoker_worker import loading, schema
from stoker_worker.errors import ModelError

EXPECTED = json.loads((Path(__file__).parent / "streaming_document.json").read_text())

STREAMING = """
    from typing import Optional
    from cog import BaseRunner, ConcatenateIterator, Input, Path, streaming
    class Runner(BaseRunner):
        @streaming
        def run(
            self,
            prompt: str = Input(description="Text"),
            style: str = Input(default="plain", choices=["plain", "bold"]),
            image: Path | None = Input(default=None, description="Picture"),
            n: int = Input(default=1, ge=1, le=4),
        ) -> ConcatenateIterator[str]:
            yield prompt
"""


def test_the_whole_document_is_that_of_the_contract(models):
    document, warnings = schema.document(models.load(STREAMING))
    assert document == EXPECTED
    assert warnings == []
    assert json.loads(json.dumps(document)) == document


def test_without_the_decorator_only_the_mark_is_missing(models):
    document, _ = schema.document(models.load(STREAMING.replace("@streaming", "")))
    expected = json.loads(json.dumps(EXPECTED))
    del expected["paths"]["/predictions"]["post"]["x-cog-streaming"]
    assert document == expected


def test_streaming_needs_an_iterator(models):
    source = "from cog import streaming\n@streaming\ndef Runner() -> str: ..."
    with pytest.raises(ModelError, match=r"@streaming requires Iterator\[\.\.\.\]"):
        schema.document(models.load(source))


TRAIN = """
    from cog import BaseModel, BaseRunner, Input, Path
    class Trained(BaseModel):
        weights: Path
    def train(data: Path, style: str = Input(choices=["plain", "bold"], default="plain")) -> Trained: ...
    class Runner(BaseRunner):
        def run(self, style: str = Input(choices=["plain", "bold"])) -> str: ...
"""


def _train_document():
    """The contract's document, as section 5.5 says that it reads for a training."""
    text = json.dumps(EXPECTED)
    for old, new in (
        ("PredictionRequest", "TrainingRequest"),
        ("PredictionResponse", "TrainingResponse"),
        ("schemas/Input", "schemas/TrainingInput"),
        ("schemas/Output", "schemas/TrainingOutput"),
        ("predict_predictions_post", "train_trainings_post"),
        ("cancel_predictions__prediction_id__cancel_post", "cancel_trainings__training_id__cancel_post"),
        ("/predictions/{prediction_id}/cancel", "/trainings/{training_id}/cancel"),
        ('"/predictions"', '"/trainings"'),
        ("prediction_id", "training_id"),
        ("Prediction Id", "Training Id"),
        ('"summary": "Predict"', '"summary": "Train"'),
        ("Run a single prediction", "Run a single training"),
        (', "x-cog-streaming": true', ""),
    ):
        assert old in text
        text = text.replace(old, new)
    document = json.loads(text)
    schemas = document["components"]["schemas"]
    del schemas["Input"], schemas["Output"]
    schemas["TrainingInput"] = {
        "properties": {
            "data": {"type": "string", "format": "uri", "title": "Data", "x-order": 0},
            "style": {"allOf": [{"$ref": "#/components/schemas/style"}], "default": "plain", "x-order": 1},
        },
        "required": ["data"],
        "title": "TrainingInput",
        "type": "object",
    }
    schemas["TrainingOutput"] = {
        "properties": {"weights": {"type": "string", "format": "uri", "title": "Weights"}},
        "required": ["weights"],
        "title": "Output",
        "type": "object",
    }
    return document


def test_a_training_alone_has_its_own_paths_and_components(models):
    document, _ = schema.document(None, models.load(TRAIN, "train", mode="train"))
    assert document == _train_document()


def test_both_halves_are_merged(models):
    path = models.write(TRAIN)
    runner, trainer = loading.load(f"{path}:Runner"), loading.load(f"{path}:train", mode="train")
    document, _ = schema.document(runner, trainer)
    predictions, trainings = schema.document(runner)[0], _train_document()
    assert document["paths"] == {**trainings["paths"], **predictions["paths"]}
    assert document["components"]["schemas"] == {
        **trainings["components"]["schemas"],
        **predictions["components"]["schemas"],
    }


def test_choices_that_differ_between_the_halves_stay_apart(models):
    source = TRAIN.replace('["plain", "bold"], default="plain"', '["fast", "slow"]')
    path = models.write(source)
    runner, trainer = loading.load(f"{path}:Runner"), loading.load(f"{path}:train", mode="train")
    schemas = schema.document(runner, trainer)[0]["components"]["schemas"]
    assert schemas["style"]["enum"] == ["plain", "bold"]
    assert schemas["style_training"]["enum"] == ["fast", "slow"]
    reference = schemas["TrainingInput"]["properties"]["style"]["allOf"][0]["$ref"]
    assert reference == "#/components/schemas/style_training"


def test_a_streaming_train_function_is_not_marked(models):
    source = """
        from typing import Iterator
        from cog import streaming
        @streaming
        def Runner() -> Iterator[str]: ...
    """
    document, _ = schema.document(None, models.load(source, mode="train"))
    assert "x-cog-streaming" not in json.dumps(document)


def test_a_model_without_either_half_is_refused():
    with pytest.raises(ModelError, match=r"no predict or train reference found in cog\.yaml"):
        schema.document(None)


def test_a_model_without_inputs_has_an_empty_input(models):
    document, _ = schema.document(models.load("def Runner() -> str: ..."))
    assert document["components"]["schemas"]["Input"] == {
        "properties": {},
        "title": "Input",
        "type": "object",
    }


def test_old_spellings_are_among_the_warnings(models):
    _, warnings = schema.document(models.load("class Runner:\n    def predict(self) -> str: ..."))
    assert warnings == ["Runner.predict() is deprecated; use run() instead"]
