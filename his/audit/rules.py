"""Pure parts of the chain: digests of events and hashes of seals."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

FIRST_HASH = "0" * 64


def event_digest(values: Mapping[str, Any]) -> str:
    """Return the SHA-256 over an event in canonical JSON (sorted keys, no blanks, UTF-8)."""
    text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def seal_hash(previous_hash: str, event_ids: Sequence[int], digests: Sequence[str]) -> str:
    """Return the hash of a batch: it changes when any event changes, moves, is added or taken out."""
    digest = hashlib.sha256(previous_hash.encode())
    for event_id, value in zip(event_ids, digests, strict=True):
        digest.update(f"|{event_id}:{value}".encode())
    return digest.hexdigest()
