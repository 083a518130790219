"""What an instance prints, as text: the read end of its output pipe. Used by ``instance``."""

import array
import codecs
import fcntl
import os
import termios

_READ_BYTES = 1 << 18


class Printed:
    """Decodes UTF-8 as it comes, whatever bytes a read ends with; what is not UTF-8 is replaced."""

    def __init__(self, pipe: int):
        self.fd = pipe
        self.ended = False
        """Whether every process that could have printed has gone."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str:
        """Some of what is there now; maybe nothing."""
        return self._decoder.decode(self._read(_READ_BYTES))

    def read_all(self) -> str:
        """All that is there now, and no more: a process that never stops printing is not waited for."""
        left = _readable_bytes(self.fd)
        pieces: list[bytes] = []
        while left > 0:
            piece = self._read(left)
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return self._decoder.decode(b"".join(pieces)) if pieces else ""

    def finish(self) -> str:
        """The text of a character that was cut off, before something else is printed."""
        text = self._decoder.decode(b"", final=True)
        self._decoder.reset()
        return text

    def _read(self, size: int) -> bytes:
        try:
            data = os.read(self.fd, size)
        except BlockingIOError:
            return b""
        self.ended = not data
        return data


def _readable_bytes(fd: int) -> int:
    count = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, count)
    return count[0]
