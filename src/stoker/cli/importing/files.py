"""Files that a run names at the source: its own delivery links are copied, so that they outlive it.

Every other address stays what it is. Nothing is fetched from any host but the source's own and Replicate's
delivery hosts, whatever the source's answers name.
"""

import tempfile
from typing import IO, Any
from urllib.parse import unquote, urlsplit

import httpx

from stoker.cli.importing.report import Report
from stoker.cli.importing.shapes import replaced
from stoker.cli.importing.source import Source
from stoker.cli.server.client import Api, Refused

LARGEST_BYTES = 1 << 30
DELIVERY_HOST = "replicate.delivery"
GONE = "it is no longer at the source; it stays a link"


class FileCopies:
    def __init__(self, source: Source, api: Api, report: Report):
        self._source = source
        self._api = api
        self._report = report

    def copy(self, body: dict[str, Any]) -> dict[str, Any]:
        """The run's body with an upload of ours in the place of each of the source's delivery links."""
        names: dict[str, None] = {}
        for part in ("input", "output"):
            replaced(body.get(part), lambda text: names.setdefault(text) or text)
        made = {url: self._copy(url) for url in names if self.is_delivery(url)}
        changed = {
            part: replaced(body.get(part), lambda text: made.get(text, text)) for part in ("input", "output")
        }
        return body | changed if made else body

    def is_delivery(self, text: str) -> bool:
        """Whether the text is a link to a file that the source itself keeps, and for a while only."""
        try:
            parts = urlsplit(text)
            host = parts.hostname or ""
        except ValueError:
            return False
        if parts.scheme == "https" and (host == DELIVERY_HOST or host.endswith(f".{DELIVERY_HOST}")):
            return True
        base = urlsplit(self._source.base_url)
        is_source = (parts.scheme, parts.netloc) == (base.scheme, base.netloc)
        return is_source and parts.path.startswith(f"{base.path}/delivery/")

    def _copy(self, url: str) -> str:
        """The upload's URL; the old one, and a reason in the report, where it could not be copied."""
        try:
            with tempfile.TemporaryFile() as file:
                kind = self._fetch(url, file)
                if kind is not None:
                    file.seek(0)
                    name = unquote(urlsplit(url).path.rpartition("/")[2])[:100] or "file"
                    made = self._api.post_file("/files", name, file, content_type=kind or None)
                    self._report.note("file", "new")
                    return str(made["urls"]["get"])
            self._report.leave("file", url, GONE)
        except httpx.TransportError as error:
            self._report.leave("file", url, f"{error or type(error).__name__}; it stays a link")
        except Refused as error:
            if not error.is_of_this_alone:
                raise
            self._report.leave("file", url, f"{error.message} It stays a link.")
        return url

    def _fetch(self, url: str, file: IO[bytes]) -> str | None:
        """Writes the bytes into the file and gives their media type; None where they are gone or too many."""
        with self._source.download(url) as response:
            if response.status_code != 200:
                return None
            size = 0
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > LARGEST_BYTES:
                    return None
                file.write(chunk)
            return response.headers.get("content-type", "")
