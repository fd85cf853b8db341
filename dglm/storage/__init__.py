"""Storage: frozen records to bytes and back, in a format that executes nothing when it is read."""

from dglm.storage.archive import FORMAT, pack, unpack
from dglm.storage.decoding import Decoder
from dglm.storage.encoding import Encoder
from dglm.storage.schema import NOT_SAVED, is_saved, saved_types

__all__ = ["FORMAT", "NOT_SAVED", "Decoder", "Encoder", "is_saved", "pack", "saved_types", "unpack"]
