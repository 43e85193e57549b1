"""The store's files: nothing that was written is lost by a kill, a torn record or a damaged snapshot."""

import pytest

from local.store_journal import Journal

OPEN = []


@pytest.fixture(autouse=True)
def close_files():
    yield
    while OPEN:
        OPEN.pop().close()


def write(folder, *bodies):
    """Append writes to a new generation and leave it open, as a process that is then killed."""
    journal = Journal(folder)
    OPEN.append(journal)
    journal.load()
    journal.open()
    for body in bodies:
        journal.append("PutItem", body)
    return journal


def read(folder):
    """Return the snapshot and the writes after it, as the next process sees them."""
    journal = Journal(folder)
    state, messages = journal.load()
    return state, [body for _, body in journal.replay()], messages


def test_an_empty_folder(tmp_path):
    assert read(tmp_path / "store") == (None, [], [])


def test_the_folder_is_private(tmp_path):
    write(tmp_path / "store", b"1")
    assert (tmp_path / "store").stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "store").iterdir()} == {0o600}


def test_writes_without_a_snapshot_come_back(tmp_path):
    write(tmp_path, b"1", b"2\n")
    write(tmp_path, b"3")
    assert read(tmp_path) == (None, [b"1", b"2\n", b"3"], [])


def test_a_snapshot_replaces_the_writes_before_it(tmp_path):
    journal = write(tmp_path, b"1")
    journal.write_snapshot(journal.open(), b"state")
    journal.append("PutItem", b"2")
    assert read(tmp_path) == (b"state", [b"2"], [])


def test_a_snapshot_that_was_not_finished_is_not_missed(tmp_path):
    journal = write(tmp_path, b"1")
    journal.open()  # a child began the snapshot of this generation, and was killed
    journal.append("PutItem", b"2")
    assert read(tmp_path) == (None, [b"1", b"2"], [])


@pytest.mark.parametrize("damage", [b"", b"{}", b"garbage\nmore"])
def test_a_damaged_snapshot_costs_nothing(tmp_path, damage):
    journal = write(tmp_path, b"1")
    journal.write_snapshot(journal.open(), b"old")
    journal.append("PutItem", b"2")
    number = journal.open()
    journal.write_snapshot(number, b"new")
    journal.append("PutItem", b"3")
    (tmp_path / f"snapshot-{number:08d}.json").write_bytes(damage)
    state, writes, messages = read(tmp_path)
    assert (state, writes) == (b"old", [b"2", b"3"])
    assert messages == [f"snapshot-{number:08d}.json is damaged; it was kept as snapshot-{number:08d}.damaged"]


@pytest.mark.parametrize("cut", [1, 7, 13, 14, 15, 21])
def test_a_torn_record_is_left_out(tmp_path, cut):
    write(tmp_path, b"first", b"second")
    file = next(tmp_path.glob("journal-*.log"))
    file.write_bytes(file.read_bytes()[:-cut])
    assert read(tmp_path)[1] == [b"first"]


def test_a_flipped_byte_ends_the_replay(tmp_path):
    write(tmp_path, b"first", b"second")
    file = next(tmp_path.glob("journal-*.log"))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert read(tmp_path)[1] == [b"first"]


def test_two_generations_are_kept(tmp_path):
    journal = write(tmp_path, b"1")
    for state in (b"a", b"b", b"c"):
        journal.write_snapshot(journal.open(), state)
        journal.append("PutItem", state)
        journal.prune()
    assert len(list(tmp_path.glob("snapshot-*.json"))) == 2
    assert len(list(tmp_path.glob("journal-*.log"))) == 2
    assert read(tmp_path) == (b"c", [b"c"], [])
