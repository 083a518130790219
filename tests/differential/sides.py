"""The two sides: run a scenario on Cog's own server and on ours, and say how it ended."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from tests.differential.cog_server import CogServer
from tests.differential.exchange import Exchange
from tests.differential.outcome import (
    Outcome,
    decoded_data_url,
    file_described,
    models_own,
    with_files,
    without_folder,
)
from tests.differential.scenario import FINAL, Scenario

WITHIN_S = 30
_POLL_S = 0.02


class CogSide:
    """Asks in the background and takes the final webhook: in a direct answer Cog's server leaves out the logs
    and output of what failed (section 8.11 of the Cog contract)."""

    def __init__(self, server: CogServer, exchange: Exchange):
        self._server = server
        self._exchange = exchange

    def run(self, scenario: Scenario) -> Outcome:
        """Runs it to its end."""
        id = f"case-{uuid.uuid4().hex[:12]}"
        body = {
            "id": id,
            "input": _input(scenario, self._exchange, id),
            "webhook": self._exchange.webhook_url(id),
        }
        status, answer = self._create(body)
        if status == 422:
            return Outcome(status="refused", error=_cog_wrong_fields(json.loads(answer)))
        assert status == 202, (status, answer)
        if scenario.cancels:
            self._exchange.await_begun(id)
            assert self._server.call("POST", f"/predictions/{id}/cancel")[0] == 200
        try:
            state = self._exchange.await_state(
                id, lambda state: state["status"] in FINAL, within_s=scenario.cog_within_s
            )
        except TimeoutError:
            return Outcome(status="unanswered")
        return Outcome(
            status=state["status"],
            output=with_files(state.get("output"), _cog_file),
            error=state.get("error"),
            logs=without_folder(state.get("logs") or ""),
            metrics=models_own(state.get("metrics") or {}),
        )

    def _create(self, body: dict[str, Any]) -> tuple[int, bytes]:
        """Asks again while the server says that it is busy, which it says for a moment after each answer."""
        end = time.monotonic() + WITHIN_S
        while True:
            status, answer = self._server.call(
                "POST", "/predictions", body, headers={"Prefer": "respond-async"}
            )
            if status != 409 or time.monotonic() > end:
                return status, answer
            threading.Event().wait(_POLL_S)


class OurSide:
    """Asks as any client does."""

    def __init__(self, client: httpx.Client, version: str, exchange: Exchange):
        self._client = client
        self._version = version
        self._exchange = exchange

    def run(self, scenario: Scenario) -> Outcome:
        """Runs it to its end."""
        id = uuid.uuid4().hex
        body = {"version": self._version, "input": _input(scenario, self._exchange, id)}
        headers = {} if scenario.cancels else {"Prefer": f"wait={WITHIN_S}"}
        answer = self._client.post("/v1/predictions", json=body, headers=headers)
        if answer.status_code == 422:
            return Outcome(status="refused", error=_our_wrong_fields(answer.json()))
        assert answer.status_code == 201, answer.text
        state = answer.json()
        if scenario.cancels:
            self._exchange.await_begun(id)
            # What a model says takes a moment to be seen, and once a cancel is answered no more of it comes.
            self._when(state, lambda state: state["logs"] or state["output"])
            assert self._client.post(f"/v1/predictions/{state['id']}/cancel").status_code == 200
        state = self._when(state, lambda state: state["status"] in FINAL)
        return Outcome(
            status=state["status"],
            output=with_files(state["output"], self._file),
            error=state["error"],
            logs=without_folder(state["logs"]),
            metrics=models_own(state["metrics"]),
        )

    def _when(self, state: dict[str, Any], holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        end = time.monotonic() + WITHIN_S
        while not holds(state):
            assert time.monotonic() < end, f"not in time: {state}"
            threading.Event().wait(_POLL_S)
            state = self._client.get(f"/v1/predictions/{state['id']}").json()
        return state

    def _file(self, text: str) -> dict[str, Any] | None:
        if "/delivery/" not in text:
            return decoded_data_url(text) if text.startswith("data:") else None
        answer = httpx.get(text)
        assert answer.status_code == 200, (text, answer.text)
        return file_described(answer.headers["content-type"].partition(";")[0], answer.content)


def _input(scenario: Scenario, exchange: Exchange, id: str) -> dict[str, Any]:
    input = scenario.input_with(exchange.url)
    return input | {"begun": exchange.begun_url(id)} if scenario.cancels else input


def _cog_file(text: str) -> dict[str, Any] | None:
    return decoded_data_url(text) if text.startswith("data:") else None


def _cog_wrong_fields(answer: dict[str, Any]) -> list[str]:
    return sorted({problem["loc"][2].partition("/")[0] for problem in answer["detail"]})


def _our_wrong_fields(answer: dict[str, Any]) -> list[str]:
    """A missing input is a problem of ``input`` itself, whose text begins with the name."""
    fields = [
        problem["description"].partition(" ")[0] if problem["field"] == "input" else problem["field"]
        for problem in answer["invalid_fields"]
    ]
    return sorted({field.removeprefix("input.").partition(".")[0] for field in fields})
