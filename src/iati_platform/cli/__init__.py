"""The `iati` command. One file per group of commands; heavy rooms are imported only by the command that needs them."""

from iati_platform.cli.root import app, main

__all__ = ["app", "main"]
