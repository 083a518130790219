"""What only the SQLite store promises: its lock, its schema's versions, its queries' plans, its failures."""

import asyncio
import re
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from stoker.core.catalog import Member
from stoker.core.errors import DataDirUnusable, StorageFailed, StorageFull
from stoker.core.prediction import Status
from stoker.store.sqlite import SqliteStore, database, search
from stoker.store.sqlite.queries import queries
from tests.conformance.store import samples
from tests.conformance.store.conftest import STORY_S

NORMAL, FULL = 1, 2
"""What ``PRAGMA synchronous`` says: commits that do not wait for the disk, and those that do."""
WHOLE_TABLE = {
    *("ids", "sources", "environments", "checkpoints", "contents", "all", "retentions"),
    "deleted_version",
}
"""For the sweep and the start, which look at everything."""
SORTS_A_FEW = {
    *(f"versions.{name}" for name in ("get", "get_own", "get_shared", "get_public")),
    "aliases.by_name",
    *(f"models.{name}" for name in ("page", "page_reverse", "page_recent", "page_recent_reverse")),
}
"""The models that share one version, the versions that share one published name, what organisations own."""
COLUMNS_OF = {"examples": "id", "models": "ref"}


def play(data_dir: Path, story: Callable[[SqliteStore], Awaitable[None]]) -> None:
    async def run() -> None:
        store = await SqliteStore.open(data_dir)
        try:
            await story(store)
        finally:
            await store.close()

    asyncio.run(asyncio.wait_for(run(), STORY_S))


async def nothing(store: SqliteStore) -> None:
    """Opens and closes."""


def fails_to_open(data_dir: Path, says: str) -> None:
    with pytest.raises(DataDirUnusable, match=says):
        play(data_dir, nothing)


def test_two_servers_cannot_have_one_data_directory(tmp_path: Path):
    async def story(store: SqliteStore) -> None:
        with pytest.raises(DataDirUnusable, match=r"Another server \(process \d+\).*--data-dir"):
            await SqliteStore.open(tmp_path)
        await store.predictions.accept(samples.prediction())

    play(tmp_path, story)
    play(tmp_path, nothing)


def test_a_data_directory_that_cannot_be_made_is_said_plainly(tmp_path: Path):
    (tmp_path / "file").write_text("not a folder")
    fails_to_open(tmp_path / "file" / "data", "cannot be opened")


def test_only_the_user_can_read_the_database(tmp_path: Path):
    async def story(store: SqliteStore) -> None:
        await store.predictions.accept(samples.prediction())
        assert modes() == {"stoker.db": 0o600, "stoker.db-wal": 0o600, "stoker.db-shm": 0o600}

    def modes() -> dict[str, int]:
        return {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("stoker.db*")}

    play(tmp_path, story)


def test_a_newer_database_is_left_alone(tmp_path: Path):
    play(tmp_path, nothing)
    db = sqlite3.connect(tmp_path / database.FILE)
    db.execute("PRAGMA user_version = 999")
    db.close()
    fails_to_open(tmp_path, r"newer Stoker \(schema 999.*Upgrade Stoker")


@pytest.mark.parametrize("made_of", [b"these are not the bytes of a database", None])
def test_a_file_of_somebody_else_is_left_alone(tmp_path: Path, made_of: bytes | None):
    path = tmp_path / database.FILE
    if made_of is None:
        db = sqlite3.connect(path)
        db.execute("CREATE TABLE theirs (a)")
        db.close()
    else:
        path.write_bytes(made_of)
    fails_to_open(tmp_path, "not a Stoker database|file is not a database")


def test_an_older_database_takes_every_step(tmp_path: Path):
    steps = [
        database.Migration(2, "CREATE TABLE second (a);"),
        database.Migration(3, "ALTER TABLE second ADD COLUMN b; INSERT INTO second VALUES (1, 2);"),
    ]
    db = database.open_writer(tmp_path / database.FILE)
    database.bring_up_to_date(db, schema="CREATE TABLE first (a);", steps=[])
    for _ in range(2):
        database.bring_up_to_date(db, schema="not used", steps=steps)
        assert db.execute("PRAGMA user_version").fetchone() == (3,)
        assert db.execute("SELECT * FROM second").fetchall() == [(1, 2)]
    db.close()


def test_a_step_that_fails_leaves_the_version_before_it(tmp_path: Path):
    steps = [database.Migration(2, "CREATE TABLE second (a); INSERT INTO nowhere VALUES (1);")]
    db = database.open_writer(tmp_path / database.FILE)
    database.bring_up_to_date(db, schema="CREATE TABLE first (a);", steps=[])
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        database.bring_up_to_date(db, schema="", steps=steps)
    assert db.execute("PRAGMA user_version").fetchone() == (1,)
    assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("first",)]
    db.close()


def test_steps_from_the_first_schema_lead_to_the_one_that_new_databases_get(tmp_path: Path):
    old, new = database.open_writer(tmp_path / "old.db"), database.open_writer(tmp_path / "new.db")
    first = (Path(__file__).parent / "schema_1.sql").read_text("utf-8")
    database.bring_up_to_date(old, schema=first, steps=[])
    database.bring_up_to_date(old, schema="", steps=database.migrations())
    database.bring_up_to_date(new, schema=database.schema(), steps=database.migrations())
    assert shape(old) == shape(new), "schema.sql has changed: add a migration"
    old.close()
    new.close()


def shape(db: sqlite3.Connection) -> dict[tuple[str, str], object]:
    """Everything in a schema, but for the order of columns and white space."""
    found: dict[tuple[str, str], object] = {}
    for kind, name, sql in db.execute("SELECT type, name, sql FROM sqlite_schema").fetchall():
        if kind == "table":
            columns = db.execute('SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?)', (name,))
            found[kind, name] = sorted(columns.fetchall())
        else:
            found[kind, name] = sql and sql.split()
    return found


def test_steps_are_numbered_from_2_without_gaps():
    assert [step.version for step in database.migrations()] == list(range(2, 2 + len(database.migrations())))


def test_no_query_looks_at_a_whole_table_or_sorts(tmp_path: Path):
    db = database.open_writer(tmp_path / database.FILE)
    database.bring_up_to_date(db, schema=database.schema(), steps=database.migrations())
    nouns = (
        "predictions",
        "models",
        "versions",
        "accounts",
        "members",
        "tokens",
        "files",
        "deployments",
        "outbox",
        "secrets",
        "collections",
        "examples",
        "aliases",
    )
    for noun in nouns:
        columns = COLUMNS_OF.get(noun, "*")
        for name, sql in queries(noun, columns=columns, accounts="*", model_columns="ref").items():
            if name in WHOLE_TABLE or sql.startswith("INSERT"):
                continue
            unnamed = [0] * (len(set(re.findall(r"\?\d", sql))) or sql.count("?"))
            values = {"now_us": 1, "error": ""} if ":now_us" in sql else unnamed
            plan = " ".join(row[3] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values))
            sorts = "TEMP" in plan and f"{noun}.{name}" not in SORTS_A_FEW
            assert "SCAN" not in plan and not sorts, f"{noun}.{name}: {plan}"
    db.close()


def test_search_works_without_fts5_and_the_index_is_made_when_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    async def find(store: SqliteStore, *words: str) -> list[str]:
        return [hit.model.name for hit in await store.models.search(words, "ann")]

    async def before(store: SqliteStore) -> None:
        await store.models.create(samples.model("easel", readme="In passing, a kite"))

    async def without(store: SqliteStore) -> None:
        await store.models.update("ann", "easel", readme="Not a lamp, a kite")
        await store.models.create(samples.model("kite", description="Flies"))
        await store.models.create(samples.model("kite-of-bob", account="bob"))
        assert await find(store, "kite") == ["kite", "easel"]
        assert await find(store, "lamp", "kite") == ["easel"]
        for account in (samples.account("ann"), samples.account("team", kind="organization")):
            await store.accounts.create(account)
        await store.accounts.set_member(Member(organization="team", account="ann", created_us=1))
        await store.models.create(samples.model("lamp", account="team"))
        assert await find(store, "lamp") == ["lamp", "easel"]

    async def after(store: SqliteStore) -> None:
        assert await find(store, "kite") == ["kite", "easel"]
        assert await find(store, "lamp") == ["lamp", "easel"]
        assert await find(store, "passing") == []

    play(tmp_path, before)
    with monkeypatch.context() as patch:
        patch.setattr(search, "has_fts5", lambda db: False)
        play(tmp_path, without)
    play(tmp_path, after)


def test_a_full_disk_fails_the_write_and_nothing_else(tmp_path: Path):
    async def story(store: SqliteStore) -> None:
        limit = await store._writer.do(set_limit, 8)
        kept = samples.prediction(status=Status.PROCESSING)
        await store.predictions.accept(kept)
        huge = samples.ending(logs="x" * 10**6)
        small = [samples.prediction() for _ in range(5)]
        writes = [store.predictions.accept(one) for one in small]
        results = await asyncio.gather(
            store.predictions.finish(kept.id, huge), *writes, return_exceptions=True
        )
        assert isinstance(results[0], StorageFull)
        assert "full" in results[0].message
        assert results[1:] == [None] * 5
        assert await store.predictions.get(kept.id) == kept
        await store._writer.do(set_limit, limit)
        assert await store.predictions.finish(kept.id, huge)
        assert await store.predictions.waiting() == small

    def set_limit(db: sqlite3.Connection, more: int) -> int:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + more}")
        return 10**6

    play(tmp_path, story)


def test_a_database_that_somebody_else_holds_fails_the_write_and_later_ones_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(database, "BUSY_S", 0.05)

    async def story(store: SqliteStore) -> None:
        other = sqlite3.connect(tmp_path / database.FILE, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        first, second = samples.prediction(), samples.prediction()
        with pytest.raises(StorageFailed, match="locked"):
            await store.predictions.accept(first)
        assert await store.predictions.get(first.id) is None
        other.execute("ROLLBACK")
        other.close()
        await store.predictions.accept(second)
        assert await store.predictions.waiting() == [second]

    play(tmp_path, story)


def test_closing_writes_what_waits_and_takes_nothing_more(tmp_path: Path):
    given = [samples.prediction() for _ in range(30)]

    async def close_at_once(store: SqliteStore) -> None:
        writes = [asyncio.ensure_future(store.predictions.accept(one)) for one in given]
        await asyncio.sleep(0)
        await store.close()
        await asyncio.gather(*writes)
        with pytest.raises(StorageFailed, match="closed"):
            await store.predictions.accept(samples.prediction())
        with pytest.raises(StorageFailed, match="closed"):
            await store.predictions.get(given[0].id)

    async def look(store: SqliteStore) -> None:
        assert await store.predictions.waiting() == given

    play(tmp_path, close_at_once)
    play(tmp_path, look)


def test_a_caller_who_goes_away_changes_nothing_for_the_others(tmp_path: Path):
    async def story(store: SqliteStore) -> None:
        given = [samples.prediction() for _ in range(10)]
        writes = [asyncio.ensure_future(store.predictions.accept(one)) for one in given]
        await asyncio.sleep(0)
        writes[4].cancel()
        results = await asyncio.gather(*writes, return_exceptions=True)
        assert isinstance(results[4], asyncio.CancelledError)
        assert [result for i, result in enumerate(results) if i != 4] == [None] * 9
        assert await store.predictions.waiting() == given

    play(tmp_path, story)


def test_a_failure_that_nobody_foresaw_fails_its_transaction_and_later_ones_work(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    def lose_the_transaction(db: sqlite3.Connection) -> None:
        db.execute("ROLLBACK")
        raise RuntimeError("unforeseen")

    async def story(store: SqliteStore) -> None:
        given = samples.prediction()
        with pytest.raises(RuntimeError, match="unforeseen"):
            await store._writer.do(lose_the_transaction)
        await store.predictions.accept(given)
        assert await store.predictions.waiting() == [given]

    play(tmp_path, story)
    assert "not foreseen" in caplog.text


def test_only_what_is_synced_waits_for_the_disk_and_a_sync_takes_all_before_it(tmp_path: Path):
    async def story(store: SqliteStore) -> None:
        async def level() -> int:
            return await store._writer.do(
                lambda db: db.execute("PRAGMA synchronous").fetchone()[0], synced=False
            )

        await store.predictions.accept(samples.prediction())
        await store.predictions.accept(samples.prediction(), synced=False)
        await store.files.create(samples.file(), synced=False)
        assert await level() == NORMAL
        results = await asyncio.gather(
            store.predictions.accept(samples.prediction(), synced=False),
            store._writer.do(lambda db: db.execute("PRAGMA synchronous").fetchone()[0]),
        )
        assert results == [None, FULL]
        before = log_bytes()
        await store.sync()
        assert log_bytes() > before

    def log_bytes() -> int:
        return (tmp_path / "stoker.db-wal").stat().st_size

    play(tmp_path, story)
