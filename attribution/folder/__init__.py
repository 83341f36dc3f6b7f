"""A folder that is switched as a whole: files in; the new ones together, or the old ones, out."""

from __future__ import annotations

from attribution.folder.journal import settle
from attribution.folder.ledger import SEAL, listed, manifest_of, sound
from attribution.folder.plain import write_bytes, write_json
from attribution.folder.switch import whole

__all__ = ["SEAL", "listed", "manifest_of", "settle", "sound", "whole", "write_bytes", "write_json"]
