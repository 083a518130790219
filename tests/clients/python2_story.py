"""What a user of the Python client 2.0.0b4 does; run by test_python2.py in that client's own environment.

Usage: python python2_story.py NAME VERSION...; prints one JSON value.
"""

import asyncio
import base64
import hmac
import json
import sys
import tempfile
import time
from pathlib import Path

import replicate


def run(empty, words, files, slow):
    return [
        replicate.run(f"local/empty:{empty}", input={"text": "hello"}),
        replicate.run("local/empty", input={"text": "named"}),
        "".join(replicate.run(f"local/concatenate:{words}", input={"pieces": 3})),
    ]


def use(empty, words, files, slow):
    return [replicate.use("local/empty")(text="used"), str(replicate.use("local/concatenate")(pieces=3))]


def longer_than_the_wait(empty, words, files, slow):
    return replicate.run(f"local/cancellable:{slow}", input={"limit_s": 2.0}, wait=1)


def stream(empty, words, files, slow):
    return "".join(replicate.stream(f"local/concatenate:{words}", input={"pieces": 4, "pause_s": 0.05}))


def background(empty, words, files, slow):
    made = replicate.predictions.create(version=empty, input={"text": "back"})
    by_full_name = replicate.predictions.create(version=f"local/empty:{empty}", input={"text": "full"})
    while made.status not in ("succeeded", "failed", "canceled"):
        made = replicate.predictions.get(prediction_id=made.id)
    listed = [prediction.id for prediction in replicate.predictions.list()]
    return [made.status, made.output, made.id in listed, by_full_name.version == empty]


def cancel(empty, words, files, slow):
    made = replicate.predictions.create(version=slow, input={"limit_s": 600})
    return replicate.predictions.cancel(prediction_id=made.id).status


def file_in_and_out(empty, words, files, slow):
    source = Path(tempfile.mkdtemp()) / "word.txt"
    source.write_bytes(b"stressed")
    with source.open("rb") as handle:
        output = replicate.run(f"local/file_round_trip:{files}", input={"source": handle})
    return str(output)


def files_api(empty, words, files, slow):
    made = replicate.files.create(content=b"some bytes", filename="a.txt", metadata={"about": "test"})
    found = replicate.files.get(file_id=made.id)
    replicate.files.delete(file_id=made.id)
    return [made.size, found.metadata, found.id == made.id]


def errors(empty, words, files, slow):
    names = []
    attempts = [
        lambda: replicate.predictions.create(version=words, input={"pieces": "many"}),
        lambda: replicate.models.get(model_owner="local", model_name="nothing"),
        lambda: replicate.Replicate(bearer_token="r8_wrong").account.get(),
        lambda: replicate.run(f"local/concatenate:{words}", input={"pieces": 0, "fail": True}),
    ]
    for attempt in attempts:
        try:
            attempt()
        except replicate.ReplicateError as error:
            names.append(type(error).__name__)
    return names


def deployments(empty, words, files, slow):
    name = {"deployment_owner": "local", "deployment_name": "python2"}
    made = replicate.deployments.create(
        name="python2", model="local/empty", version=empty, hardware="cpu", min_instances=0, max_instances=1
    )
    assert replicate.deployments.get(**name).to_dict() == made.to_dict()
    assert "python2" in [deployment.name for deployment in replicate.deployments.list()]
    prediction = replicate.deployments.predictions.create(**name, input={"text": "deployed"}, prefer="wait")
    changed = replicate.deployments.update(**name, max_instances=2)
    try:
        replicate.deployments.delete(**name)
    except replicate.ConflictError as error:
        refused = error.status_code
    replicate.deployments.update(**name, min_instances=0, max_instances=0)
    replicate.deployments.delete(**name)
    numbers = [made.current_release.number, changed.current_release.number]
    return [prediction.output, prediction.deployment, numbers, refused]


def trainings(empty, words, files, slow):
    model = {"model_owner": "local", "model_name": "training"}
    version = replicate.models.get(**model).latest_version.id
    base = {**model, "version_id": version, "destination": "local/learned-by-python2"}
    if not [m for m in replicate.models.list() if m.name == "learned-by-python2"]:
        replicate.models.create(
            owner="local", name="learned-by-python2", visibility="private", hardware="cpu"
        )
    made = replicate.trainings.create(**base, input={"text": "data:text/plain;base64,aGk="})
    while made.status not in ("succeeded", "failed", "canceled"):
        made = replicate.trainings.get(training_id=made.id)
    slow = replicate.trainings.create(**base, input={"text": "data:,x", "pause_s": 60})
    canceled = replicate.trainings.cancel(training_id=slow.id)
    listed = [training.id for training in replicate.trainings.list()]
    learned = replicate.run(made.output.version, input={"text": "!"})
    return [made.status, learned, canceled.status, made.id in listed, slow.id in listed]


def catalogue(empty, words, files, slow):
    """After ``stories.stocked``."""
    models = replicate.models
    found = replicate.Replicate().search(query="hollowness")
    order = {"sort_by": "model_created_at", "sort_direction": "asc"}
    published = "c" * 64
    return [
        replicate.hardware.list()[0].sku,
        "images" in [collection.slug for collection in replicate.collections.list()],
        [model.name for model in replicate.collections.get(collection_slug="images").models],
        [hit.model.name for hit in found.models],
        [model.name for model in models.search(body="hollowness")],
        "empty" in [model.name for model in models.list(**order)],
        "kept" in [made.output for made in models.examples.list(model_owner="local", model_name="empty")],
        models.readme.get(model_owner="local", model_name="empty"),
        models.get(model_owner="local", model_name="empty").default_example["output"],
        models.versions.get(model_owner="acme", model_name="empty", version_id=published).id == empty,
        replicate.run(f"acme/empty:{published}", input={"text": "pinned"}),
        replicate.use("acme/empty")(text="used"),
    ]


def own_models(empty, words, files, slow):
    """After a push to local/discarded-by-python2."""
    name = {"model_owner": "local", "model_name": "discarded-by-python2"}
    links = {"github_url": "https://g.example/", "paper_url": "https://p.example/"}
    changed = replicate.models.update(**name, description="Goes away", readme="# Away", **links)
    version = {**name, "version_id": changed.latest_version["id"]}
    listed = [listed.id for listed in replicate.models.versions.list(**name)]
    used = replicate.use(f"local/discarded-by-python2:{version['version_id']}")(text="used")
    replicate.models.versions.delete(**version)
    replicate.models.delete(**name)
    try:
        replicate.models.get(**name)
    except replicate.NotFoundError as error:
        gone = error.body["detail"]
    told = [changed.description, changed.github_url, changed.paper_url]
    return [told, listed == [version["version_id"]], used, gone]


def account(empty, words, files, slow):
    key = replicate.webhooks.default.secret.get().key
    return [replicate.account.get().username, key.startswith("whsec_")]


def download(empty, words, files, slow):
    """The link is signed as section 5.8 says, with the key that our own endpoint tells."""
    made = replicate.files.create(content=b"some bytes", filename="a.txt")
    key, expiry = (
        replicate.Replicate().get("/stoker/files-secret", cast_to=object)["key"],
        int(time.time()) + 60,
    )
    mac = hmac.digest(key.encode(), f"local {made.id} {expiry}".encode(), "sha256")
    signature = base64.b64encode(mac).decode()
    link = {"file_id": made.id, "owner": "local", "expiry": expiry, "signature": signature}
    listed = [file.id for file in replicate.files.list()]
    return [replicate.files.download(**link).read().decode(), made.id in listed]


def pages(empty, words, files, slow):
    """After ``stories.paged``."""
    ids = [prediction.id for prediction in replicate.predictions.list()]
    middle = replicate.predictions.get(prediction_id=ids[50])
    older = [prediction.id for prediction in replicate.predictions.list(created_before=middle.created_at)]
    newer = [prediction.id for prediction in replicate.predictions.list(created_after=middle.created_at)]
    return [len(ids) > 100, len(set(ids)) == len(ids), newer + older == ids, newer[-1] == middle.id]


def asynchronous(empty, words, files, slow):
    async def story():
        async with replicate.AsyncReplicate() as client:
            runs = [client.run(f"local/empty:{empty}", input={"text": str(n)}) for n in range(4)]
            return await asyncio.gather(*runs)

    return asyncio.run(story())


print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
