"""Files on disk: whole or absent, under names nobody chose."""

from __future__ import annotations

import hashlib
import io
import os
import re
from datetime import UTC, datetime, timedelta

import pytest

from casewell.providers.errors import Unavailable
from casewell.providers.files import FileDamaged, FileMissing, FileTooLarge, open_verified
from casewell.providers.files.disk import DiskStore

HOSTILE_KEYS = [
    "../../etc/passwd",
    "/etc/passwd",
    "",
    ".",
    "ab",
    "0" * 31,
    "0" * 33,
    "A" * 32,
    "0" * 32 + "\n",
    "unfinished/" + "0" * 21,
]


@pytest.fixture
def store(tmp_path):
    return DiskStore(tmp_path / "files")


def content_of(store, key):
    with store.open(key) as file:
        return file.read()


def test_a_file_comes_back_as_it_was_put(store):
    stored = store.put(b"A letter")
    assert content_of(store, stored.key) == b"A letter"
    assert (stored.size, stored.sha256) == (8, hashlib.sha256(b"A letter").hexdigest())


def test_a_stream_is_put_without_being_held_in_memory(store):
    content = os.urandom(3_000_000)
    stored = store.put(io.BytesIO(content))
    assert stored.size == 3_000_000
    assert content_of(store, stored.key) == content


def test_K01_names_are_random_and_private(store):
    first, second = store.put(b"same"), store.put(b"same")
    assert first.key != second.key
    assert re.fullmatch("[0-9a-f]{32}", first.key)
    place = next(store.folder.rglob(first.key))
    assert place.stat().st_mode & 0o777 == 0o600
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in (place.parent, store.folder))


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_K04_a_key_is_never_a_way_out_of_the_folder(store, key):
    store.put(b"x")
    assert not store.exists(key)
    with pytest.raises(FileMissing):
        store.open(key)
    store.delete(key)
    assert len(list(store.keys())) == 1


def test_a_deleted_file_is_gone_and_deleting_again_is_no_error(store):
    key = store.put(b"x").key
    assert store.exists(key)
    store.delete(key)
    store.delete(key)
    assert not store.exists(key)
    with pytest.raises(FileMissing):
        store.open(key)


def test_K09_a_file_over_the_limit_is_not_kept(store):
    with pytest.raises(FileTooLarge, match="10 bytes"):
        store.put(io.BytesIO(b"x" * 11), max_bytes=10)
    assert store.put(b"x" * 10, max_bytes=10).size == 10
    assert len(list(store.keys())) == 1
    assert list((store.folder / "unfinished").iterdir()) == []


def test_a_source_that_breaks_leaves_nothing_behind(store):
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise EOFError

    with pytest.raises(EOFError):
        store.put(Broken())
    assert list(store.keys()) == []
    assert list((store.folder / "unfinished").iterdir()) == []


def test_a_folder_that_can_not_be_written_may_be_tried_again(tmp_path):
    (tmp_path / "files").write_bytes(b"in the way")
    store = DiskStore(tmp_path / "files")
    for attempt in (lambda: store.put(b"x"), store.check):
        with pytest.raises(Unavailable, match="can't be written"):
            attempt()


def test_S09_every_file_is_listed_and_leftovers_are_not(store):
    kept = {store.put(bytes([number])).key for number in range(20)}
    (store.folder / "unfinished" / ("0" * 32)).write_bytes(b"half a fi")
    (store.folder / "ab").mkdir(exist_ok=True)
    (store.folder / "ab" / "README").write_bytes(b"not ours")
    listed = list(store.keys())
    assert {file.key for file in listed} == kept
    assert {file.size for file in listed} == {1}
    assert all(abs(file.modified_at - datetime.now(UTC)) < timedelta(minutes=1) for file in listed)


def test_S09_leftovers_are_discarded_once_they_are_old(store):
    store.put(b"x")
    (store.folder / "unfinished" / ("0" * 32)).write_bytes(b"half a fi")
    now = datetime.now(UTC)
    assert store.discard_unfinished(now - timedelta(hours=1)) == 0
    assert store.discard_unfinished(now + timedelta(hours=1)) == 1
    assert len(list(store.keys())) == 1


def test_S09_a_damaged_file_is_refused(store):
    stored = store.put(b"A letter")
    with open_verified(store, stored.key, stored.sha256) as file:
        assert file.read() == b"A letter"
    next(store.folder.rglob(stored.key)).write_bytes(b"A bitten")
    with pytest.raises(FileDamaged):
        open_verified(store, stored.key, stored.sha256)


def test_an_empty_store_has_no_files_and_some_room(store):
    assert list(store.keys()) == []
    store.check()
    assert store.free_bytes() > 0
    assert list(store.keys()) == []


def test_room_is_unknown_where_the_folder_is_gone(store):
    with pytest.raises(Unavailable):
        store.free_bytes()


def test_many_files_are_kept_in_the_order_they_were_given(store):
    contents = [f"file {n}".encode() for n in range(40)]
    kept = store.put_all(contents)
    for one, content in zip(kept, contents, strict=True):
        with store.open(one.key) as file:
            assert file.read() == content
