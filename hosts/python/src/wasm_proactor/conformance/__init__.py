"""Conformance: this host in a world that a script decides. See conformance/README.md of the project."""

from .virtual_clock import VirtualClock
from .world import World

__all__ = ["VirtualClock", "World"]
