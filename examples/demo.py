"""The demo: starts a server, pushes the examples, runs each through the published ``replicate`` client.

``make demo`` runs it (``demo.py start``), ``make demo-stop`` ends the server (``demo.py stop``). Each story
below is what a user of the client would write; ``say`` and ``save`` are all that was added.
"""

import asyncio
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import demo_server
import replicate
from replicate.exceptions import ModelError
from rich.console import Console

EXAMPLES = Path(__file__).resolve().parent
MODELS = ["writer", "picture-effects", "speech", "digits", "doc-search"]
QUESTIONS = [
    "sort a list by key",
    "read a zip file",
    "how do I parse JSON",
    "what is a context manager",
]

console = Console(highlight=False, soft_wrap=True)


def story_writer() -> None:
    """Text, streamed"""
    say('for event in replicate.stream("local/writer", input={"prompt": "The with statement", ...}):')
    question = {"prompt": "The with statement", "max_tokens": 60, "seed": 3}
    console.print("The with statement", style="dim", end="")
    for event in replicate.stream("local/writer", input=question):
        print(str(event), end="", flush=True)
    print()


def story_picture_effects() -> None:
    """A picture in, a picture out"""
    for effect in ("sketch", "oil", "poster"):
        with (EXAMPLES / "picture-effects" / "landscape.jpg").open("rb") as image:
            output = replicate.run("local/picture-effects", input={"image": image, "effect": effect})
        save(output, f"landscape-{effect}.png")


def story_speech() -> None:
    """Sound out"""
    text = "Hello. This is Stoker, speaking from your own machine. Shall we begin?"
    output = replicate.run("local/speech", input={"text": text, "voice": "woman"})
    say(f'"{text}"')
    save(output, "hello.wav")


def story_digits() -> None:
    """A classifier that was trained when it was built"""
    with (EXAMPLES / "digits" / "seven.png").open("rb") as image:
        prediction = replicate.predictions.create(model="local/digits", input={"image": image})
        prediction.wait()
    print(prediction.logs.rstrip())
    say(f"digit {prediction.output['digit']}, {prediction.output['confidence']:.0%} sure")


def story_doc_search() -> None:
    """Thirty-two questions at once, one process"""

    async def ask_all() -> list[list[dict[str, str]]]:
        asked = (replicate.async_run("local/doc-search", input={"question": q}) for q in QUESTIONS * 8)
        return await asyncio.gather(*asked)

    started = time.perf_counter()
    answers = asyncio.run(ask_all())
    for question, pages in zip(QUESTIONS, answers, strict=False):
        say(f"{question} -> {', '.join(page['name'] for page in pages[:3])}")
    say(f"{len(answers)} answers in {time.perf_counter() - started:.2f} s, start of the model included")


def story_background() -> None:
    """In the background, with a webhook when it is done"""
    with webhook_receiver() as (url, received):
        prediction = replicate.predictions.create(
            model="local/writer",
            input={"prompt": "A generator", "max_tokens": 40, "seed": 3},
            webhook=url,
            webhook_events_filter=["completed"],
        )
        say(f"created {prediction.id}, {prediction.status}")
        if not received.wait(30):
            raise SystemExit("The webhook did not come.")
    prediction.reload()
    say(f"the webhook came; {prediction.status}, {len(prediction.output)} tokens")


def story_cancel() -> None:
    """Cancelled half-way"""
    prediction = replicate.predictions.create(model="local/writer", input={"max_tokens": 1_000_000})
    for count, _ in enumerate(prediction.stream()):
        if count == 50:
            break
    prediction.cancel()
    prediction.wait()
    say(f"asked for 1,000,000 tokens, {prediction.status} after {len(prediction.output or [])}")


def story_error() -> None:
    """A model that fails says why"""
    try:
        replicate.run("local/speech", input={"text": "..."})
    except ModelError as error:
        say(f"ModelError: {error}")


STORIES: list[Callable[[], None]] = [
    story_writer,
    story_picture_effects,
    story_speech,
    story_digits,
    story_doc_search,
    story_background,
    story_cancel,
    story_error,
]


def say(text: str) -> None:
    console.print(f"  {text}", markup=False)


def save(output: object, name: str) -> None:
    """Keeps an output file. Over http the client gives its URL, over https an object that reads it."""
    read = getattr(output, "read", None)
    if read is None:
        with urllib.request.urlopen(str(output)) as answer:
            data = answer.read()
    else:
        data = read()
    path = demo_server.OUT / name
    path.write_bytes(data)
    say(f"{os.path.relpath(path)}  {len(data):,} bytes")


@contextmanager
def webhook_receiver() -> Iterator[tuple[str, threading.Event]]:
    """A URL on this machine, and an event that is set once something was posted to it."""
    received = threading.Event()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            received.set()

        def log_message(self, format: str, *args: object) -> None:
            """Not on the demo's screen."""

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/done", received
        finally:
            server.shutdown()
            thread.join()


def start() -> None:
    heading("Starting a server")
    client = demo_server.start()
    os.environ.update(client)
    say(f"{client['REPLICATE_BASE_URL']}, data in {os.path.relpath(demo_server.DATA)}")
    heading("Pushing the examples (the first time builds their environments)")
    for name in MODELS:
        began = time.perf_counter()
        version = demo_server.push(EXAMPLES / name, f"local/{name}", client)
        say(f"local/{name}:{version[:12]}  {time.perf_counter() - began:.1f} s")
    for story in STORIES:
        heading(story.__doc__ or "")
        story()
    heading("The server is up. To use it from this shell:")
    for name, value in client.items():
        print(f"export {name}={value}")
    stoker = os.path.relpath(Path(sys.executable).with_name("stoker"))
    print(f'{stoker} run local/writer -i prompt="A class" --stream    # or any client of Replicate\'s')
    print("make demo-stop    # to stop it")


def heading(text: str) -> None:
    console.print(f"\n{text}", style="bold")


def main() -> None:
    sys.stdout.reconfigure(line_buffering=True)  # so that a log keeps the order of what happened
    command = sys.argv[1] if len(sys.argv) > 1 else "start"
    if command == "stop":
        print("Stopped." if demo_server.stop() else "The demo's server is not running.")
    elif command == "start":
        start()
    else:
        raise SystemExit("usage: demo.py [start|stop]")


if __name__ == "__main__":
    main()
