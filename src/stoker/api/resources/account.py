"""The caller's account, and its webhook secret (sections 5.1 and 5.10)."""

from starlette.responses import Response

from stoker.api.endpoint import Request
from stoker.api.http import answers
from stoker.api.wire import account_object
from stoker.core.catalog import Account
from stoker.core.errors import NotFound


async def get(request: Request) -> Response:
    """GET /account"""
    return answers.json(account_object(await _account(request)))


async def webhook_secret(request: Request) -> Response:
    """GET /webhooks/default/secret"""
    return answers.json({"key": (await _account(request)).webhook_secret})


async def _account(request: Request) -> Account:
    account = await request.services.store.accounts.get(request.account)
    if account is None:
        raise NotFound
    return account
