"""What webhooks say and when: filter, throttle, signature, retries (section 9 of the HTTP contract)."""

import base64
import hashlib
import hmac
from typing import Literal

from stoker.core.prediction import Prediction

WebhookEvent = Literal["start", "output", "logs", "completed"]

DEFAULT_EVENTS: tuple[WebhookEvent, ...] = ("output", "completed")
THROTTLE_S = 0.5
"""At most one output and one logs message in this time."""
RETRY_AFTER_S = (2.0, 4.0, 8.0, 16.0, 32.0)
"""Pauses between the attempts; the last one comes about a minute after completion."""


def wants(prediction: Prediction, event: WebhookEvent) -> bool:
    """Whether the caller asked for this event. No filter, or an empty one, means the default."""
    return prediction.webhook is not None and event in (prediction.webhook_events or DEFAULT_EVENTS)


def retry_delay_s(event: str, attempts: int) -> float | None:
    """How long to wait after so many attempts; None is giving up. Only ``completed`` is sent again."""
    if event != "completed" or attempts > len(RETRY_AFTER_S):
        return None
    return RETRY_AFTER_S[attempts - 1]


def signature_headers(secret: str, *, id: str, timestamp_s: int, body: bytes) -> dict[str, str]:
    """The three headers of section 9.3: HMAC-SHA256 over ``id.timestamp.body``, standard base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{id}.{timestamp_s}.".encode() + body
    mac = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {"webhook-id": id, "webhook-timestamp": str(timestamp_s), "webhook-signature": f"v1,{mac}"}
