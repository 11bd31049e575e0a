"""The one digest of the library."""

from __future__ import annotations

import logging

import pytest
import xxhash

from taggedartifacts import _hashing


class TestHexdigest:
    def test_known_answer(self):
        """The digest is xxh3_128 with seed 0, big-endian in hex, as xxhsum -H2 prints it."""
        assert "99aa06d3014798d86001c324468d497f" == _hashing.hexdigest(b"")

    def test_parts(self):
        """Bytes in parts have the digest of the whole."""
        whole = bytes(range(256)) * 10

        assert _hashing.hexdigest(whole) == _hashing.hexdigest_parts([whole[:7], b"", whole[7:]])


class TestFiles:
    @pytest.mark.parametrize(
        "size", [0, 1, _hashing._BUFFER_BYTES - 1, _hashing._BUFFER_BYTES, _hashing._BUFFER_BYTES + 1]
    )
    def test_content(self, tmp_path, size):
        """A file has the digest of its bytes, around the size of the buffer too."""
        content = (bytes(range(251)) * (size // 251 + 1))[:size]
        (tmp_path / "a").write_bytes(content)

        assert xxhash.xxh3_128_hexdigest(content) == _hashing.file_hexdigest(tmp_path / "a")

    def test_missing(self, tmp_path):
        """A missing file is the operating system's own error."""
        with pytest.raises(FileNotFoundError):
            _hashing.file_hexdigest(tmp_path / "gone")

    def test_long_hashing_is_logged(self, tmp_path, monkeypatch, caplog):
        """What takes longer than a few seconds says how much is done, and how fast."""
        clock = iter(range(0, 1000, 2))
        monkeypatch.setattr(_hashing.time, "monotonic", lambda: next(clock))
        (tmp_path / "big.bin").write_bytes(bytes(3 << 20))
        with caplog.at_level(logging.INFO, logger="taggedartifacts"):
            _hashing.file_hexdigest(tmp_path / "big.bin")

        assert f"hashing {tmp_path / 'big.bin'}: 2 of 3 MB done, 1 MB/s" in caplog.messages

    def test_short_hashing_is_not_logged(self, tmp_path, caplog):
        """What is done at once says nothing."""
        (tmp_path / "a").write_bytes(b"1")
        with caplog.at_level(logging.DEBUG, logger="taggedartifacts"):
            _hashing.file_hexdigest(tmp_path / "a")

        assert [] == caplog.messages
