"""TLS without a socket: what came goes in, what must be sent comes out."""

from __future__ import annotations

import ssl


class TLSLayer:
    """
    The client's side of TLS over any stream, be it TCP or the TLS of a proxy.

    :param context: certificates and versions.
    :param server: the name or address that the server's certificate must hold.
    """

    def __init__(self, context: ssl.SSLContext, server: str | None) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        name = (server or "").strip("[]")
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    @property
    def has_more(self) -> bool:
        """Whether something came that was not read yet."""
        return bool(self._tls.pending() or self._incoming.pending)

    def shake_hands(self) -> bool:
        """
        Go on with the handshake.

        :return: whether it is over; if not, more has to come in.
        :raises ssl.SSLError: if it failed.
        """
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def read(self, size: int) -> bytes | None:
        """What the peer said; ``None`` if more has to come in first, nothing at its end."""
        try:
            return self._tls.read(size)
        except ssl.SSLWantReadError:
            return None
        except ssl.SSLEOFError:  # many servers leave without saying so
            return b""

    def write(self, data: bytes) -> None:
        """Say something."""
        while data:
            data = data[self._tls.write(data) :]

    def outgoing(self) -> bytes:
        """What must be sent."""
        return self._outgoing.read()

    def feed(self, data: bytes) -> None:
        """Take what came; nothing is the end."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()
