"""How it is told: records become static pages, readable offline and without JavaScript."""

from __future__ import annotations

from conformance.report.build import build_report

__all__ = ["build_report"]
