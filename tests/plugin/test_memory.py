"""Uids, times and texts, as everything here writes and compares them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest
from claude_memory.errors import BadInput
from claude_memory.memory import days_before, moment, new_uid, stamp

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00.000000Z"),
        ("2026-03-01T12:00:00.500+02:00", "2026-03-01T10:00:00.500000Z"),
        ("2026-03-01 12:00", "2026-03-01T12:00:00.000000Z"),
        (" 2026-03-01 ", "2026-03-01T00:00:00.000000Z"),
        ("0001-01-01T00:00:00z", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31", "9999-12-31T00:00:00.000000Z"),
    ],
)
def test_time_is_written_in_one_way_and_read_back(text: str, written: str) -> None:
    """In UTC, with a year of four digits, so that stamps sort as texts."""
    assert stamp(moment(text)) == written
    assert stamp(moment(written)) == written


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-13-01", "2026-02-30", "12:00", "0001-01-01T00:00:00+14:00", "\x00"]
)
def test_text_that_is_no_time_is_refused(text: str) -> None:
    """With the way to write one."""
    with pytest.raises(BadInput) as caught:
        moment(text)
    assert "2026-12-31" in caught.value.fix


def test_stamps_sort_as_their_times() -> None:
    """Whatever the zone they came in."""
    start = datetime(2026, 3, 1, tzinfo=timezone(timedelta(hours=9)))
    later = [start + timedelta(microseconds=number * 999_999) for number in range(100)]
    stamps = [stamp(one) for one in later]
    assert stamps == sorted(set(stamps))


def test_days_before_is_a_stamp() -> None:
    """What is kept thirty days ends then."""
    now = datetime(2026, 3, 31, 12, tzinfo=timezone.utc)
    assert days_before(now, 30) == "2026-03-01T12:00:00.000000Z"


def test_uid_is_of_version_seven_and_begins_with_its_time() -> None:
    """Made here, unlike any other, and in the order of their making."""
    begun = datetime(2026, 2, 25, 6, 13, 20, tzinfo=timezone.utc)
    uids = [new_uid(begun + timedelta(milliseconds=number)) for number in range(1_000)]
    assert all(UUID7.fullmatch(uid) for uid in uids)
    assert uids == sorted(set(uids))
    assert len({new_uid(begun) for _ in range(1_000)}) == 1_000
