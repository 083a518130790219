"""The published ``openai`` client, unmodified, against a real server with real models."""

from collections.abc import Callable, Iterator

import pytest
from openai import OpenAI

from tests.conftest import Pushed
from tests.servers import TOKEN, StokerServer

Named = Callable[[str], str]


@pytest.fixture
def client(server: StokerServer) -> Iterator[OpenAI]:
    with OpenAI(api_key=TOKEN, base_url=f"{server.base_url}/openai/v1", max_retries=0) as made:
        yield made


@pytest.fixture
def model(pushed: Pushed) -> Named:
    """``model("chat")``: the name under which ``tests/models/chat`` runs, pushed if need be."""

    def push(name: str) -> str:
        pushed(name)
        return f"local/{name}"

    return push
