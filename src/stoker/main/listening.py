"""What the server listens with: the socket, the certificate, and the address that it calls itself by.

Used by ``server`` before anything else is built: whatever is in the way there is said in a sentence that
names it (``StartFailed``).
"""

import socket
import ssl

from stoker.core.errors import StartFailed
from stoker.core.settings import Settings


def listen(settings: Settings) -> socket.socket:
    """A socket that has the address, and does not take connections yet."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        raise StartFailed(
            f"The server cannot listen on {settings.host} port {settings.port}: {error.strerror}. "
            "Give it another address with --host and --port."
        ) from error
    return listener


def check_certificate(settings: Settings) -> None:
    """Raises ``StartFailed`` unless certificate and key can be read and fit each other."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    for name, path in (("tls_cert", settings.tls_cert), ("tls_key", settings.tls_key)):
        try:
            path.open("rb").close()
        except OSError as error:
            raise StartFailed(f"{name} {path} cannot be read: {error.strerror}.") from error
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(settings.tls_cert, settings.tls_key)
    except ssl.SSLError as error:
        raise StartFailed(
            f"tls_cert {settings.tls_cert} and tls_key {settings.tls_key} cannot be used together: "
            f"{error.reason or 'they are no PEM files'}."
        ) from error


def make_data_dir(settings: Settings) -> None:
    """Makes the data directory where there is none."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartFailed(
            f"The data directory {settings.data_dir} cannot be made: {error.strerror}. "
            "Name another one with --data-dir."
        ) from error


def local_url(settings: Settings, listener: socket.socket) -> str:
    """The address that was bound; a server that listens everywhere calls itself by the loopback address."""
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1"
    scheme = "https" if settings.tls_cert else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
