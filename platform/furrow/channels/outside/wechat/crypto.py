"""How WeChat signs and encrypts its calls: SHA-1 over sorted parts, AES-256-CBC with its own padding.

Both are the published scheme of the platform; SHA-1 is its choice, not ours.
"""

import base64
import binascii
import hashlib
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from django.utils.crypto import constant_time_compare

from furrow.core.errors import Invalid, NotSignedIn

_BLOCK = 32
KEY_LENGTH = 43


def signature(token: str, *parts: str) -> str:
    joined = "".join(sorted([token, *parts])).encode()
    return hashlib.sha1(joined, usedforsecurity=False).hexdigest()


def signature_check(given: str, token: str, *parts: str) -> None:
    if not constant_time_compare(given, signature(token, *parts)):
        raise NotSignedIn("The signature is wrong.", code="signature_invalid")


def key_of(text: str) -> bytes:
    """The 43 characters of the console as 32 bytes."""
    try:
        key = base64.b64decode(text + "=", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(text) != KEY_LENGTH or len(key) != 32:
        raise Invalid("The EncodingAESKey has 43 letters and digits.", field="aes_key")
    return key


def decrypt(text: str, *, key: bytes, receiver: str) -> str:
    """The message, if it was encrypted for this receiver; anything else fails alike."""
    try:
        sealed = base64.b64decode(text, validate=True)
        opener = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
        plain = _unpadded(opener.update(sealed) + opener.finalize())
        length = struct.unpack(">I", plain[16:20])[0]
        message, owner = plain[20 : 20 + length], plain[20 + length :]
        if len(message) != length or owner.decode() != receiver:
            raise ValueError("another receiver")
        return message.decode()
    except (ValueError, struct.error, IndexError):
        raise NotSignedIn("The message cannot be opened.", code="signature_invalid") from None


def encrypt(text: str, *, key: bytes, receiver: str) -> str:
    message = text.encode()
    plain = os.urandom(16) + struct.pack(">I", len(message)) + message + receiver.encode()
    missing = _BLOCK - len(plain) % _BLOCK
    sealer = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(
        sealer.update(plain + bytes([missing]) * missing) + sealer.finalize()
    ).decode()


def _unpadded(plain: bytes) -> bytes:
    missing = plain[-1]
    if not 1 <= missing <= _BLOCK or plain[-missing:] != bytes([missing]) * missing:
        raise ValueError("padding")
    return plain[:-missing]
