"""A change of the source is seen, and looked for not more than once a period."""

import os

from local.sources import Sources


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_change_is_told_once_and_not_too_often(tmp_path):
    file = tmp_path / "package" / "a.py"
    file.parent.mkdir()
    file.write_text("1")
    clock = Clock()
    sources = Sources([tmp_path], clock)
    os.utime(file, (1, 1))
    assert not sources.changed()
    clock.now = 1.0
    assert sources.changed()
    clock.now = 2.0
    assert not sources.changed()
    (tmp_path / "b.py").touch()
    clock.now = 3.0
    assert sources.changed()
    file.unlink()
    clock.now = 4.0
    assert sources.changed()


def test_what_is_no_source_is_not_looked_at(tmp_path):
    clock = Clock()
    sources = Sources([tmp_path, tmp_path / "missing"], clock)
    for name in ("__pycache__/a.py", ".hidden/a.py", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    clock.now = 1.0
    assert not sources.changed()
