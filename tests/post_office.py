"""A real SMTP server on this machine, for tests."""

from __future__ import annotations

import asyncio

from aiosmtpd.controller import Controller


class AnyPort(Controller):
    """aiosmtpd's controller on whatever port is free."""

    def _trigger_server(self) -> None:
        """Make the first connection to the port that the operating system gave."""
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]
