import msgspec

from stoker.core.prediction import Prediction
from stoker.core.webhooks import retry_delay_s, signature_headers, wants


def prediction(webhook: str | None, *events: str) -> Prediction:
    return Prediction(
        id="p", account="a", model="a/m", version="0" * 64, created_us=1, stream_key="k",
        input=msgspec.Raw(b"{}"), webhook=webhook, webhook_events=events,
    )  # fmt: skip


def test_the_documented_test_vector():
    """Section 9.3 of the HTTP contract."""
    headers = signature_headers(
        "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", id="msg_1", timestamp_s=1, body=b'{"id":"x"}'
    )
    assert headers["webhook-signature"] == "v1,+P6yCADQIWGAeehfcTZEN2S8zmeemLRMCrhWmOnlS/M="


def test_without_a_filter_output_and_completed_are_sent():
    default = prediction("https://a")
    assert [event for event in ("start", "output", "logs", "completed") if wants(default, event)] == [
        "output",
        "completed",
    ]


def test_a_filter_is_obeyed():
    assert wants(prediction("https://a", "start"), "start")
    assert not wants(prediction("https://a", "start"), "completed")


def test_no_webhook_wants_nothing():
    assert not wants(prediction(None, "completed"), "completed")


def test_completed_is_tried_for_about_a_minute_and_start_once():
    delays = [retry_delay_s("completed", attempts) for attempts in range(1, 7)]
    assert delays == [2, 4, 8, 16, 32, None]
    assert retry_delay_s("start", 1) is None
