"""What a user of the Python client 2.0.0b4 does; run by test_python2.py in that client's own environment.

Usage: python python2_story.py NAME VERSION...; prints one JSON value.
"""

import asyncio
import json
import sys
import tempfile
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
    found = replicate.Replicate().search(query="empty")
    order = {"sort_by": "model_created_at", "sort_direction": "asc"}
    published = "c" * 64
    return [
        replicate.hardware.list()[0].sku,
        "images" in [collection.slug for collection in replicate.collections.list()],
        [model.name for model in replicate.collections.get(collection_slug="images").models],
        [hit.model.name for hit in found.models],
        [model.name for model in models.search(body="empty")],
        "empty" in [model.name for model in models.list(**order)],
        "kept" in [made.output for made in models.examples.list(model_owner="local", model_name="empty")],
        models.readme.get(model_owner="local", model_name="empty"),
        models.get(model_owner="local", model_name="empty").default_example["output"],
        models.versions.get(model_owner="acme", model_name="empty", version_id=published).id == empty,
        replicate.run(f"acme/empty:{published}", input={"text": "pinned"}),
        replicate.use("acme/empty")(text="used"),
    ]


def asynchronous(empty, words, files, slow):
    async def story():
        async with replicate.AsyncReplicate() as client:
            runs = [client.run(f"local/empty:{empty}", input={"text": str(n)}) for n in range(4)]
            return await asyncio.gather(*runs)

    return asyncio.run(story())


print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])))
