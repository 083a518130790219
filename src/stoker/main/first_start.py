"""The first start makes an account and a token, and tells the person who started the server."""

import secrets
from collections.abc import Callable

from stoker.cli.server import credentials
from stoker.core import ids
from stoker.core.catalog import Account, Token
from stoker.core.settings import Settings
from stoker.ports.store import Store


async def ensure_account(
    store: Store,
    settings: Settings,
    *,
    local_url: str,
    public_url: str,
    now_us: int,
    announce: Callable[[str], None],
) -> None:
    """Makes the account where there is none, and stores for the CLI where this server is."""
    account = Account(
        name=settings.account, created_us=now_us, webhook_secret=ids.webhook_secret(secrets.token_bytes(24))
    )
    first = await store.accounts.create(account)
    token = settings.bootstrap_token
    if first and token is None:
        token = ids.api_token(secrets.token_bytes(37))
    if token is not None and await store.accounts.token_by_digest(ids.token_digest(token)) is None:
        await _create_token(store, settings.account, token, now_us)
        announce(f"export REPLICATE_BASE_URL={public_url}")
        announce(f"export REPLICATE_API_TOKEN={token}")
    _remember(settings, local_url, token)


async def _create_token(store: Store, account: str, token: str, now_us: int) -> None:
    await store.accounts.create_token(
        Token(
            id=ids.opaque_key(secrets.token_bytes(10)),
            account=account,
            name="first start",
            digest=ids.token_digest(token),
            hint=f"{token[:5]}***",
            created_us=now_us,
        )
    )


def _remember(settings: Settings, base_url: str, token: str | None) -> None:
    """The port may have changed since the last start, the token only where there is a new one."""
    if token is None:
        stored = credentials.load(settings.data_dir)
        token = stored.token if stored else None
    if token is not None:
        credentials.save(settings.data_dir, credentials.Credentials(base_url, token))
