"""A folder that is switched as a whole: files in; the new ones together, or the old ones, out."""

from attribution.folder.journal import settle
from attribution.folder.ledger import SEAL
from attribution.folder.plain import write_bytes, write_json
from attribution.folder.switch import whole
from attribution.folder.verify import listed, manifest_of, sound

__all__ = [
    "SEAL",
    "listed",
    "manifest_of",
    "settle",
    "sound",
    "whole",
    "write_bytes",
    "write_json",
]
