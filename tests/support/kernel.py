"""A real Jupyter kernel for tests, in a directory of its own, with every wait bounded and nothing left behind."""

from __future__ import annotations

import shutil
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from jupyter_client.manager import KernelManager

if TYPE_CHECKING:
    from gitrepo import GitRepo

SECONDS = 60


class CellError(Exception):
    """A cell raised; the message is the exception's name and text."""


class Kernel:
    """A kernel that runs in a repository; use it in a ``with`` statement."""

    def __init__(self, repo: GitRepo, **env: str) -> None:
        self._sockets = tempfile.mkdtemp(prefix="kernel")  # short: the path of a socket has at most 107 characters
        self._manager = KernelManager(
            kernel_name="python3", transport="ipc", ip=f"{self._sockets}/s", connection_file=f"{self._sockets}/c.json"
        )
        self._manager.kernel_spec.argv[0] = sys.executable
        self._manager.start_kernel(cwd=str(repo.path), env={**repo.env, **env})
        self._client: Any = self._manager.blocking_client()

    def __enter__(self) -> Kernel:
        self._client.start_channels()
        self._client.wait_for_ready(timeout=SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()
        shutil.rmtree(self._sockets)

    def run(self, *cells: str, **options: Any) -> str:
        """Run cells; return what they write, and the text of what they show, stripped.

        Raises:
            CellError: If one raises.
        """
        texts: list[str] = []

        def collect(message: Any) -> None:
            content = message["content"]
            texts.append((content.get("text") or content.get("data", {}).get("text/plain", "")).strip())

        for cell in cells:
            reply = self._client.execute_interactive(cell, timeout=SECONDS, output_hook=collect, **options)
            if reply["content"]["status"] != "ok":
                raise CellError(f"{reply['content'].get('ename')}: {reply['content'].get('evalue')}")
        return "\n".join(filter(None, texts))

    def displays(self, cell: str) -> list[dict[str, str]]:
        """Run a cell; return what it shows, each output by MIME type."""
        outputs: list[Any] = []
        self._client.execute_interactive(cell, timeout=SECONDS, output_hook=outputs.append)
        return [message["content"]["data"] for message in outputs if "data" in message["content"]]
