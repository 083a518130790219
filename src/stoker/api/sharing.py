"""Answers that are given again: what a create asks for, and the earlier prediction that answers it.

Used by ``runs``. Looks in the caller's own account alone; the new prediction gets files of its own.
"""

import secrets

import msgspec

from stoker.api.creation import Wanted
from stoker.api.endpoint import Request
from stoker.api.known import Known
from stoker.api.services import Services
from stoker.core import examples, ids, retention, sharing
from stoker.core.catalog import FileRecord
from stoker.core.prediction import EMPTY_OBJECT, Prediction

HEADER = "stoker-cache"


async def asked_s(request: Request, wanted: Wanted, known: Known) -> float | None:
    """How old an answer may be that is given again; None where this create shares with nobody."""
    model_s = await request.services.lifetimes.of(known.version.model)
    answer_s = sharing.asked_s(request.fields.get(HEADER), model_s)
    if wanted.kind != "prediction" or known.inputs_for("prediction").secrets & wanted.input.keys():
        return None
    return answer_s


async def earlier(services: Services, prediction: Prediction, answer_s: float) -> Prediction | None:
    """What answers the same, with links to files of ``prediction``; None where nothing does."""
    assert prediction.likeness is not None
    since_us = prediction.created_us - int(answer_s * 1e6)
    found = await services.store.predictions.alike(
        prediction.account, prediction.version, prediction.likeness, completed_since_us=since_us
    )
    if found is None:
        return None
    output = msgspec.structs.replace(found, input=EMPTY_OBJECT)
    records = [await services.store.files.get(id) for id in examples.files_named(output, services.links)]
    files = [record for record in records if record is not None and record.origin == "output"]
    if len(files) < len(records) or any(file.expires_us <= prediction.created_us for file in files):
        return None
    made = {file.id: await _own(services, file, prediction) for file in files}
    return examples.relinked(output, services.links, made.get)


async def _own(services: Services, file: FileRecord, prediction: Prediction) -> str:
    """A link to the same bytes that goes when the prediction's data goes."""
    settings = services.settings
    account = await services.store.accounts.get(prediction.account)
    own_s = account.retention_s if account else None
    life_s = settings.run_timeout_s + (settings.retention_s if own_s is None else own_s)
    record = msgspec.structs.replace(
        file,
        id=ids.opaque_key(secrets.token_bytes(20)),
        created_us=prediction.created_us,
        expires_us=retention.expiry_us(life_s, prediction.created_us),
        prediction=prediction.id,
    )
    await services.store.files.create(record)
    return services.links.content(record.id, record.name, expires_us=record.expires_us)
