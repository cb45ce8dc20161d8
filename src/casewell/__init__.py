"""Casewell, the self-hosted CRM of a credit-dispute practice."""

from __future__ import annotations

__version__ = "0.1.0.dev0"
