"""Values to put into a store, with what matters to a test as arguments."""

import itertools
from typing import Any

import msgspec

from stoker.core.catalog import Account, FileRecord, Model, Recipe, SourceFile, Token, Version
from stoker.core.deployments import Deployment, Release
from stoker.core.prediction import Ending, Prediction, Status
from stoker.ports.store import Delivery

_numbers = itertools.count(1)

VERSION = "a" * 64


def prediction(**fields: Any) -> Prediction:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "id": f"prediction{number:08}",
        "account": "ann",
        "model": "ann/model",
        "version": VERSION,
        "created_us": number,
        "stream_key": f"key{number:08}",
    }
    return Prediction(**defaults | fields)


def whole(**fields: Any) -> Prediction:
    """A prediction with something in every field."""
    defaults: dict[str, Any] = {
        "deployment": "ann/deployment",
        "destination": "ann/tuned",
        "source": "web",
        "input": msgspec.Raw('{ "text" : "naïve 🦆", "x": 1.0 }'.encode()),
        "secrets": msgspec.Raw(b'{"key":"hidden"}'),
        "deadline_us": 99,
        "priority": "low",
        "logs": "première ligne\n",
        "metrics": msgspec.Raw(b'{"a":1}'),
        "webhook": "https://example.test/hook?a=b,c",
        "webhook_events": ("start", "completed"),
    }
    return prediction(**defaults | fields)


def ending(**fields: Any) -> Ending:
    defaults: dict[str, Any] = {
        "status": Status.SUCCEEDED,
        "completed_us": 1000,
        "output": msgspec.Raw(b'["a", "b" ]'),
        "logs": "one\ntwo\n",
        "metrics": msgspec.Raw(b'{"predict_time":0.5}'),
    }
    return Ending(**defaults | fields)


def delivery(prediction: str, **fields: Any) -> Delivery:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "id": f"msg_{number:08}",
        "prediction": prediction,
        "event": "completed",
        "created_us": number,
        "next_us": number,
    }
    return Delivery(**defaults | fields)


def model(name: str = "model", **fields: Any) -> Model:
    owner = fields.get("owner", "ann")
    return Model(**{"owner": owner, "name": name, "account": owner, "created_us": next(_numbers)} | fields)


def version(id: str = VERSION, **fields: Any) -> Version:
    defaults: dict[str, Any] = {
        "id": id,
        "model": "ann/model",
        "created_us": next(_numbers),
        "cog_version": "0.23.1",
        "openapi_schema": {"components": {"schemas": {"Input": {"type": "object"}}}},
        "recipe": Recipe(environment="env-one", predict="predict.py:Predictor", variables={"A": "b"}),
        "source": (SourceFile("cog.yaml", "1" * 64, 10), SourceFile("predict.py", "2" * 64, 20, True)),
    }
    return Version(**defaults | fields)


def account(name: str = "ann", **fields: Any) -> Account:
    return Account(**{"name": name, "created_us": next(_numbers), "webhook_secret": "whsec_x"} | fields)


def token(**fields: Any) -> Token:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "id": f"token{number}",
        "account": "ann",
        "name": "laptop",
        "digest": f"digest{number}",
        "hint": "r8_Hw***",
        "created_us": number,
    }
    return Token(**defaults | fields)


def file(**fields: Any) -> FileRecord:
    number = next(_numbers)
    defaults: dict[str, Any] = {
        "id": f"file{number:08}",
        "account": "ann",
        "origin": "upload",
        "name": "été.png",
        "content_type": "image/png",
        "size_bytes": 5,
        "sha256": "3" * 64,
        "md5": "4" * 32,
        "created_us": number,
        "expires_us": 10_000,
        "metadata": {"a": {"b": [1, None]}},
    }
    return FileRecord(**defaults | fields)


def deployment(name: str = "app", *, owner: str = "ann", **fields: Any) -> Deployment:
    """A deployment at its first release; fields of either."""
    created_us = fields.pop("created_us", next(_numbers))
    defaults: dict[str, Any] = {
        "number": 1,
        "model": "ann/model",
        "version": VERSION,
        "hardware": "cpu",
        "min_instances": 0,
        "max_instances": 2,
        "created_us": created_us,
        "created_by": owner,
    }
    release = Release(**defaults | fields)
    return Deployment(owner=owner, name=name, created_us=created_us, release=release)
