"""Predictions in SQLite: the server's hot path. ``ports.store.Predictions`` says what each method gives."""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from stoker.core.prediction import EMPTY_OBJECT, FINAL, Ending, Kind, Prediction, Status
from stoker.ports.store import Cursor, Delivery, Page
from stoker.store.sqlite import keyset
from stoker.store.sqlite.outbox import owe
from stoker.store.sqlite.queries import queries
from stoker.store.sqlite.readers import Readers
from stoker.store.sqlite.writer import Writer, all_or_nothing

COLUMNS = (
    "id, account, kind, model, version, created_us, stream_key, deployment, source, status, started_us, "
    "completed_us, deadline_us, webhook, webhook_events, data_removed, kept, error, metrics, secrets, input, "
    "output, destination, imported_us, likeness, copied_from, priority"
)
_SQL = queries("predictions", columns=COLUMNS)
_ACCEPT, _START, _FINISH = _SQL["accept"], _SQL["start"], _SQL["finish"]
_PAGE_OF = {None: "page", "api": "page_api", "web": "page_web"}
"""The query by source; the literal in each lets SQLite take its index."""
_STATUS = {status.value: status for status in Status}


class SqlitePredictions:
    def __init__(self, writer: Writer, readers: Readers, *, files_changed: Callable[[], None]):
        self._files_changed = files_changed
        self._write = writer.do
        self._read = readers.do
        self._hiding: set[str] = set()
        """Predictions whose secrets are in the database until they start or end."""

    async def accept(
        self, prediction: Prediction, deliveries: Sequence[Delivery] = (), *, synced: bool = True
    ) -> None:
        if prediction.secrets is not None and prediction.status is Status.STARTING:
            self._hiding.add(prediction.id)
        await self._write(_accept, _row(prediction), deliveries, synced=synced)

    async def start(
        self, id: str, started_us: int, deliveries: Sequence[Delivery] = (), *, synced: bool = True
    ) -> bool:
        return await self._advance(id, _START, (started_us, id), deliveries, synced=synced)

    async def finish(
        self, id: str, ending: Ending, deliveries: Sequence[Delivery] = (), *, synced: bool = True
    ) -> bool:
        if ending.status not in FINAL:
            raise ValueError(f"{ending.status} is not how a prediction ends")
        return await self._advance(id, _FINISH, _ending_row(id, ending), deliveries, synced=synced)

    async def keep_output(self, id: str, output: bytes) -> bool:
        return await self._write(_keep_output, id, output)

    async def interrupt(self, now_us: int, error: str) -> int:
        return await self._write(_interrupt, now_us, error)

    async def get(self, id: str) -> Prediction | None:
        return await self._read(_one, _SQL["get"], id)

    async def alike(
        self, account: str, version: str, likeness: str, *, completed_since_us: int
    ) -> Prediction | None:
        return await self._read(_one, _SQL["alike"], account, version, likeness, completed_since_us)

    async def known(self, account: str, ids: Sequence[str]) -> set[str]:
        return await self._read(_known, account, ids)

    async def get_by_stream_key(self, key: str) -> Prediction | None:
        return await self._read(_one, _SQL["get_by_stream_key"], key)

    async def waiting(self) -> list[Prediction]:
        found = await self._read(_waiting)
        self._hiding |= {prediction.id for prediction in found if prediction.secrets is not None}
        return found

    async def page(
        self,
        account: str,
        *,
        kind: Kind = "prediction",
        cursor: Cursor | None = None,
        limit: int = 100,
        created_after_us: int | None = None,
        created_before_us: int | None = None,
        source: str | None = None,
    ) -> Page[Prediction]:
        if source not in _PAGE_OF:
            return Page([], has_next=False, has_previous=False)
        low = keyset.FIRST if created_after_us is None else (created_after_us, "")
        high = keyset.LAST if created_before_us is None else (created_before_us, "")
        return await self._read(_page, _PAGE_OF[source], (account, kind), cursor, limit, low, high)

    async def remove_data(self, account: str, completed_before_us: int, *, limit: int = 500) -> list[str]:
        removed = await self._write(_remove_data, account, completed_before_us, limit)
        if removed:
            self._files_changed()
        return removed

    async def remove_deleted(self, *, limit: int = 500) -> list[str]:
        removed = await self._write(_remove_deleted, limit)
        if removed:
            self._files_changed()
        return removed

    async def _advance(
        self, id: str, sql: str, row: tuple[Any, ...], deliveries: Sequence[Delivery], *, synced: bool
    ) -> bool:
        hides = id in self._hiding
        self._hiding.discard(id)
        return await self._write(_change, sql, row, deliveries, synced=synced, forgets=hides)


def _accept(db: sqlite3.Connection, row: tuple[Any, ...], deliveries: Sequence[Delivery]) -> None:
    if not deliveries:
        db.execute(_ACCEPT, row)
        return
    with all_or_nothing(db):
        db.execute(_ACCEPT, row)
        owe(db, deliveries)


def _change(db: sqlite3.Connection, sql: str, row: tuple[Any, ...], deliveries: Sequence[Delivery]) -> bool:
    if not deliveries:
        return db.execute(sql, row).rowcount == 1
    with all_or_nothing(db):
        held = db.execute(sql, row).rowcount == 1
        if held:
            owe(db, deliveries)
    return held


def _keep_output(db: sqlite3.Connection, id: str, output: bytes) -> bool:
    return db.execute(_SQL["keep_output"], (output, id)).rowcount == 1


def _interrupt(db: sqlite3.Connection, now_us: int, error: str) -> int:
    with all_or_nothing(db):
        db.execute(_SQL["owe_interrupted"], {"now_us": now_us})
        return db.execute(_SQL["interrupt"], {"now_us": now_us, "error": error}).rowcount


def _one(db: sqlite3.Connection, sql: str, *key: str | int) -> Prediction | None:
    row = db.execute(sql, key).fetchone()
    return prediction_of(row) if row else None


def _known(db: sqlite3.Connection, account: str, ids: Sequence[str]) -> set[str]:
    return {id for id in ids if db.execute(_SQL["known"], (id, account)).fetchone() is not None}


def _waiting(db: sqlite3.Connection) -> list[Prediction]:
    return [prediction_of(row) for row in db.execute(_SQL["waiting"])]


def _page(
    db: sqlite3.Connection,
    query: str,
    of: tuple[str, str],
    cursor: Cursor | None,
    limit: int,
    low: keyset.Place,
    high: keyset.Place,
) -> Page[Prediction]:
    return keyset.page(
        db,
        _SQL,
        query,
        of,
        cursor=cursor,
        limit=limit,
        build=prediction_of,
        place=lambda prediction: (prediction.created_us, prediction.id),
        low=low,
        high=high,
    )


def _remove_data(db: sqlite3.Connection, account: str, completed_before_us: int, limit: int) -> list[str]:
    with all_or_nothing(db):
        rows = db.execute(_SQL["remove_data"], (account, completed_before_us, limit)).fetchall()
        db.executemany(_SQL["remove_files"], rows)
    return [row[0] for row in rows]


def _remove_deleted(db: sqlite3.Connection, limit: int) -> list[str]:
    while (version := db.execute(_SQL["deleted_version"]).fetchone()) is not None:
        rows = db.execute(_SQL["of_deleted"], (*version, limit)).fetchall()
        if not rows:
            db.execute(_SQL["all_deleted"], version)
            continue
        with all_or_nothing(db):
            for query in ("release", "delete", "remove_files"):
                db.executemany(_SQL[query], rows)
        return [row[0] for row in rows]
    return []


def _row(p: Prediction) -> tuple[Any, ...]:
    secrets = p.secrets if p.status is Status.STARTING else None
    return (
        p.id, p.account, p.kind, p.model, p.version, p.created_us, p.stream_key, p.deployment, p.source,
        p.status.value, p.started_us, p.completed_us, p.deadline_us, p.webhook, ",".join(p.webhook_events),
        p.data_removed, p.kept, p.error, _json(p.metrics), _json(secrets), bytes(p.input), _json(p.output),
        p.logs, p.destination, p.imported_us, p.likeness, p.copied_from, p.priority,
    )  # fmt: skip


def _ending_row(id: str, e: Ending) -> tuple[Any, ...]:
    data = (_json(e.output), e.logs, e.error, _json(e.metrics))
    return (e.status.value, e.completed_us, *data, e.copied_from, id)


def _json(raw: msgspec.Raw | None) -> bytes | None:
    return None if raw is None else bytes(raw)


def prediction_of(row: tuple[Any, ...]) -> Prediction:
    """The prediction of a row with ``COLUMNS`` and logs."""
    events, metrics, secrets, output = row[14], row[18], row[19], row[21]
    return Prediction(
        id=row[0],
        account=row[1],
        kind=row[2],
        model=row[3],
        version=row[4],
        created_us=row[5],
        stream_key=row[6],
        deployment=row[7],
        source=row[8],
        status=_STATUS[row[9]],
        started_us=row[10],
        completed_us=row[11],
        deadline_us=row[12],
        webhook=row[13],
        webhook_events=tuple(events.split(",")) if events else (),
        data_removed=bool(row[15]),
        kept=bool(row[16]),
        error=row[17],
        metrics=EMPTY_OBJECT if metrics is None else msgspec.Raw(metrics),
        secrets=None if secrets is None else msgspec.Raw(secrets),
        input=msgspec.Raw(row[20]),
        output=None if output is None else msgspec.Raw(output),
        destination=row[22],
        imported_us=row[23],
        likeness=row[24],
        copied_from=row[25],
        priority=row[26],
        logs=row[27],
    )
