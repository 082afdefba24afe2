"""Puts the front-end assets into the wheel, so that an installed amends needs no Node."""

from __future__ import annotations

import os
import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds the assets before a wheel; an editable install leaves them to ``make setup``.

    ``AMENDS_SKIP_ASSETS=1`` leaves them out of the requirements too, for installs that never build a wheel.
    """

    PLUGIN_NAME = "custom"

    def _assets(self) -> dict[str, Any]:
        return runpy.run_path(str(Path(self.root) / "scripts" / "build_assets.py"))

    def dependencies(self) -> list[str]:
        """Ask for PyPI's Node only where the machine has none."""
        if self.target_name != "wheel" or os.environ.get("AMENDS_SKIP_ASSETS") == "1":
            return []
        assets = self._assets()
        return [] if assets["is_built"]() or assets["find_node"]() else [assets["NODE_WHEEL"]]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is missing and have it packed although git ignores it.

        Parameters
        ----------
        version:
            ``standard`` for a wheel, ``editable`` for an install that points at the sources.
        build_data:
            Hatchling's own; ``artifacts`` names ignored files that belong into the wheel.
        """
        if self.target_name != "wheel" or version == "editable":
            return
        assets = self._assets()
        if not assets["is_built"]():
            assets["build"]()
        build_data["artifacts"].append("src/amends/web/static/vendor/*")
