"""Files of an imported run: what was uploaded for it becomes its own, and lives as long as its data.

Called by ``resources.imports`` before the run is kept. Never fetches anything: whoever imports brings the
bytes as an upload and names it in input and output.
"""

import secrets

import msgspec

from stoker.api.services import Services
from stoker.core import examples, ids, retention
from stoker.core.catalog import FileRecord
from stoker.core.prediction import Prediction


async def adopt(services: Services, prediction: Prediction) -> Prediction:
    """The prediction with links to files of its own in the place of its account's uploads."""
    made: dict[str, str] = {}
    for id in examples.files_named(prediction, services.links):
        upload = await services.store.files.get(id)
        if upload is not None and _is_given(upload, prediction, services.clock.now_us()):
            made[id] = await _take(services, upload, prediction)
    return examples.relinked(prediction, services.links, made.get) if made else prediction


def _is_given(upload: FileRecord, prediction: Prediction, now_us: int) -> bool:
    return upload.account == prediction.account and upload.origin == "upload" and upload.expires_us > now_us


async def _take(services: Services, upload: FileRecord, prediction: Prediction) -> str:
    """A record of the same bytes that goes when the prediction's data goes; its link."""
    settings, now_us = services.settings, services.clock.now_us()
    account = await services.store.accounts.get(prediction.account)
    own_s = account.retention_s if account else None
    life_s = max(settings.upload_ttl_s, settings.retention_s if own_s is None else own_s)
    record = msgspec.structs.replace(
        upload,
        id=ids.file_id(secrets.token_bytes(16)),
        origin="output",
        created_us=now_us,
        expires_us=retention.expiry_us(life_s, now_us),
        prediction=prediction.id,
        metadata={},
    )
    await services.store.files.create(record)
    await services.store.files.delete(upload.id, account=upload.account)
    return services.links.content(record.id, record.name, expires_us=record.expires_us)
