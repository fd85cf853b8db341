"""The command ``dglm``: fits from a shell, for scripts, schedulers and people who have no Python open."""

from dglm.command.main import main

__all__ = ["main"]
