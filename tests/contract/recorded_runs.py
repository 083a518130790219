"""Our answers to the records of what runs: predictions, trainings, deployments, and what is refused."""

from typing import Any

import httpx

from stoker.core.prediction import Status
from tests.contract.platform import FILES, Platform
from tests.contract.recorded_makers import answers
from tests.contract.scripted import Run, never_starts
from tests.contract.test_deployments import deploy
from tests.contract.test_deployments import wanted as deployment_wanted
from tests.contract.test_trainings import GOOD, path, trainable

MODEL = "/v1/models/{owner}/{name}"
VERSION = f"{MODEL}/versions/{{version_id}}"
DEPLOYMENT = "/v1/deployments/{owner}/{name}"
PREDICTION = "/v1/predictions/{prediction_id}"
TRAINING = "/v1/trainings/{training_id}"
WAIT = {"prefer": "wait"}
CREATES_PER_MINUTE = 5
"""The rate limit of the platform that answers."""


async def draws(run: Run) -> None:
    await run.start()
    run.log("drawing")
    run.emit(["https://example.com/1.png"], item=False)
    await run.end()


async def create(p: Platform, url: str = "/predictions", **headers: str) -> httpx.Response:
    version = await p.version("draw", output=FILES, visibility="public")
    named = {"version": version.id} if url == "/predictions" else {}
    return await p.client.post(url, json={**named, "input": {"prompt": "kite"}}, headers=headers)


@answers("POST", "/v1/predictions", 201, "async")
async def created(p: Platform) -> httpx.Response:
    p.dispatcher.script = never_starts
    return await create(p)


@answers("POST", "/v1/predictions", 201, "sync")
async def waited_for(p: Platform) -> httpx.Response:
    return await create(p, **WAIT)


@answers("POST", f"{MODEL}/predictions", 201, "async")
async def created_for_a_model(p: Platform) -> httpx.Response:
    p.dispatcher.script = never_starts
    return await create(p, "/models/alice/draw/predictions")


@answers("POST", f"{MODEL}/predictions", 201, "sync")
async def waited_for_a_model(p: Platform) -> httpx.Response:
    return await create(p, "/models/alice/draw/predictions", **WAIT)


@answers("POST", f"{DEPLOYMENT}/predictions", 201)
async def created_for_a_deployment(p: Platform) -> httpx.Response:
    await deploy(p, await p.version("draw", output=FILES))
    return await p.client.post("/deployments/alice/app/predictions", json={"input": {}})


@answers("POST", "/v1/predictions", 401, "error")
async def unauthenticated(p: Platform) -> httpx.Response:
    return await p.anonymous.post("/predictions", json={"version": "0" * 64, "input": {}})


@answers("GET", PREDICTION, 200, "status=starting")
async def starting(p: Platform) -> httpx.Response:
    p.dispatcher.script = never_starts
    return await p.client.get((await create(p)).json()["urls"]["get"])


@answers("GET", PREDICTION, 200, "status=processing")
async def processing(p: Platform) -> httpx.Response:
    made, _ = await p.running(await p.version("draw", output=FILES))
    return await p.client.get(made["urls"]["get"])


@answers("GET", PREDICTION, 200, "status=succeeded")
async def succeeded(p: Platform) -> httpx.Response:
    return await p.client.get((await create(p, **WAIT)).json()["urls"]["get"])


@answers("POST", f"{PREDICTION}/cancel", 200, "status=canceled")
async def canceled(p: Platform) -> httpx.Response:
    made, _ = await p.running(await p.version("draw", output=FILES))
    return await p.client.post(made["urls"]["cancel"])


@answers("GET", "/v1/predictions", 200)
async def predictions(p: Platform) -> httpx.Response:
    await create(p, **WAIT)
    await p.running(await p.version("talk"))
    return await p.client.get("/predictions")


@answers("*", "*", 404)
async def not_found(p: Platform) -> httpx.Response:
    return await p.client.get("/predictions/none")


@answers("*", "*", 422)
async def invalid(p: Platform) -> httpx.Response:
    return await p.client.post("/predictions", json={"version": "0" * 64, "input": {}, "x": 1})


@answers("*", "*", 429)
async def throttled(p: Platform) -> httpx.Response:
    for _ in range(CREATES_PER_MINUTE):
        assert (await p.client.post("/predictions", json={})).status_code == 422
    return await p.client.post("/predictions", json={})


@answers("POST", "/v1/deployments", 200)
async def new_deployment(p: Platform) -> httpx.Response:
    return await p.client.post("/deployments", json=deployment_wanted(await p.version("sketch")))


@answers("GET", "/v1/deployments", 200)
async def deployments(p: Platform) -> httpx.Response:
    await deploy(p, await p.version("sketch"))
    return await p.client.get("/deployments")


@answers("GET", DEPLOYMENT, 200)
async def deployment(p: Platform) -> httpx.Response:
    await deploy(p, await p.version("sketch"))
    return await p.client.get("/deployments/alice/app")


@answers("PATCH", DEPLOYMENT, 200)
async def changed_deployment(p: Platform) -> httpx.Response:
    await deploy(p, await p.version("sketch"))
    return await p.client.patch("/deployments/alice/app", json={"max_instances": 3})


@answers("DELETE", DEPLOYMENT, 204)
async def deleted_deployment(p: Platform) -> httpx.Response:
    await deploy(p, await p.version("sketch"))
    return await p.client.delete("/deployments/alice/app")


async def train(p: Platform, **fields: Any) -> httpx.Response:
    return await p.client.post(path(await trainable(p)), json=GOOD | fields)


@answers("POST", f"{VERSION}/trainings", 201, "status=starting")
async def new_training(p: Platform) -> httpx.Response:
    p.dispatcher.script = never_starts
    return await train(p)


@answers("POST", f"{VERSION}/trainings", 404, "error")
async def no_destination(p: Platform) -> httpx.Response:
    return await train(p, destination="<invalid>")


async def running_training(p: Platform) -> dict[str, Any]:
    p.dispatcher.script = never_starts
    made = (await train(p)).json()
    await p.dispatcher.run(made["id"]).start()
    return made


@answers("GET", TRAINING, 200, "status=processing")
async def training(p: Platform) -> httpx.Response:
    return await p.client.get((await running_training(p))["urls"]["get"])


@answers("GET", TRAINING, 200)
async def finished_training(p: Platform) -> httpx.Response:
    made = await running_training(p)
    run = p.dispatcher.run(made["id"])
    run.emit({"version": f"alice/tuned:{'a' * 64}", "weights": "https://example.com/w.tar"}, item=False)
    await run.end(Status.SUCCEEDED)
    return await p.client.get(made["urls"]["get"])


@answers("GET", "/v1/trainings", 200)
async def trainings(p: Platform) -> httpx.Response:
    await running_training(p)
    return await p.client.get("/trainings")


@answers("POST", f"{TRAINING}/cancel", 200, "status=canceled")
async def canceled_training(p: Platform) -> httpx.Response:
    return await p.client.post((await running_training(p))["urls"]["cancel"])
