"""Storage: frozen records to bytes and back, in a format that executes nothing when it is read."""

from dglm.storage.archive import pack, unpack
from dglm.storage.checkpoint import Checkpoint
from dglm.storage.decoding import Decoder
from dglm.storage.digests import digest
from dglm.storage.encoding import Encoder
from dglm.storage.exact import exact_types, from_bytes, to_bytes
from dglm.storage.schema import NOT_SAVED, saved_types

__all__ = [
    "NOT_SAVED",
    "Checkpoint",
    "Decoder",
    "Encoder",
    "digest",
    "exact_types",
    "from_bytes",
    "pack",
    "saved_types",
    "to_bytes",
    "unpack",
]
