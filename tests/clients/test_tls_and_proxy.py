"""Over https the clients give file objects; behind a proxy every URL is the public one."""

import os
import subprocess
import sys
from pathlib import Path

import trustme

from tests.conftest import MODELS, StartServer

STORY = """
import sys, replicate
output = replicate.run("local/file_round_trip", input={"source": open(sys.argv[1], "rb")})
print(type(output).__name__, output.read().decode())
print("".join(str(event) for event in replicate.stream("local/concatenate", input={"pieces": 3})))
"""


def test_over_https_a_file_output_is_a_file_output(start_server: StartServer, tmp_path: Path):
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    server = start_server("--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"))
    assert server.base_url.startswith("https://")
    server.trust(tmp_path / "ca.pem")
    server.push(MODELS / "file_round_trip", "local/file_round_trip")
    server.push(MODELS / "concatenate", "local/concatenate")
    (tmp_path / "word.txt").write_text("stressed")
    done = subprocess.run(
        [sys.executable, "-c", STORY, str(tmp_path / "word.txt")],
        env=os.environ | server.variables(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["FileOutput desserts", "Once upon a"]


def test_behind_a_proxy_every_url_is_the_public_one(start_server: StartServer):
    server = start_server("--public-url", "https://models.example/stoker/")
    with server.client() as client:
        made = client.post("/v1/files", files={"content": ("a.txt", b"a")}).json()
    assert made["urls"]["get"] == f"https://models.example/stoker/v1/files/{made['id']}"
