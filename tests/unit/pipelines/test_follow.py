"""Follow: files dropped as simulated time passes, whole, once, in order, and from where it stopped."""

import datetime as dt

import pytest

from contrechamp.domain.errors import IntegrityError, ParameterError
from contrechamp.pipelines import follow as module
from contrechamp.pipelines.follow import follow, period_of, schedule

DAY = 86_400
UTC = dt.UTC
NAMES = (
    "evenements/evt_2017-W01.geojson.gz", "meteo/meteo_2017-W02.csv.gz", "reseaux_sociaux/posts_2017-01-03.jsonl.gz",
    "reseaux_sociaux/posts_2017-01-04.jsonl.gz", "statistiques_police/stat_2017-01.csv.gz",
    "stock_infractions/stock_2016.parquet", "donnees_ouvertes/lieux.geojson.gz", "territory.json",
)  # fmt: skip


class Time:
    """A clock that only moves when somebody sleeps, and can be stopped after some sleeps."""

    def __init__(self, stop_after=None):
        self.now, self.sleeps, self.stop_after = 1000.0, [], stop_after

    def clock(self):
        return self.now

    def sleep(self, seconds):
        if self.stop_after is not None and len(self.sleeps) >= self.stop_after:
            raise KeyboardInterrupt
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def source(tmp_path):
    for name in NAMES:
        path = tmp_path / "source" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode() * 10)
    return tmp_path / "source"


def run(source, landing, time, **more):
    return follow(source, landing, clock=time.clock, sleep=time.sleep, **({"speed": 600.0} | more))


def lying(landing):
    return sorted(p.relative_to(landing).as_posix() for p in landing.rglob("*") if p.is_file())


@pytest.mark.parametrize(
    ("name", "begins", "ends"),
    [
        ("mc_2017-W01.jsonl.gz", "2017-01-01T23:00", "2017-01-08T23:00"),
        ("mc_2020-W53.jsonl.gz", "2020-12-27T23:00", "2021-01-03T23:00"),
        ("posts_2017-03-26.jsonl.gz", "2017-03-25T23:00", "2017-03-26T22:00"),  # the day the clock loses an hour
        ("stat_2017-12.csv.gz", "2017-11-30T23:00", "2017-12-31T23:00"),
        ("stat_2017-02.csv.gz", "2017-01-31T23:00", "2017-02-28T23:00"),
        ("stock_1998.parquet", "1997-12-31T23:00", "1998-12-31T23:00"),
    ],
)
def test_periods_are_read_in_names(name, begins, ends):
    assert [t.strftime("%Y-%m-%dT%H:%M") for t in period_of(name)] == [begins, ends]


@pytest.mark.parametrize(
    "name", ["lieux.geojson.gz", "territory.json", "posts_2017-02-30.csv", "mc_2017-W60.csv", "a_b.x"]
)
def test_other_names_have_no_period(name):
    assert period_of(name) is None


def test_files_are_due_when_their_period_ends_and_the_rest_at_once(source):
    assert [due.path for due in schedule(source)] == [
        "donnees_ouvertes/lieux.geojson.gz", "territory.json", "stock_infractions/stock_2016.parquet",
        "reseaux_sociaux/posts_2017-01-03.jsonl.gz", "reseaux_sociaux/posts_2017-01-04.jsonl.gz",
        "evenements/evt_2017-W01.geojson.gz", "meteo/meteo_2017-W02.csv.gz", "statistiques_police/stat_2017-01.csv.gz",
    ]  # fmt: skip


def test_time_passes_at_the_speed_asked_for(source, tmp_path):
    time, told = Time(), []
    start = dt.datetime(2017, 1, 1, 23, tzinfo=UTC)  # local midnight of Monday 2 January
    summary = run(source, tmp_path / "landing", time, start=start, progress=lambda *a: told.append(a))
    # days 2, 3, 7, 14 and 30 from Monday, 600 times as fast
    assert time.sleeps == pytest.approx([2 * DAY / 600, DAY / 600, 4 * DAY / 600, 7 * DAY / 600, 16 * DAY / 600])
    assert (summary.dropped, summary.already, summary.left, summary.interrupted) == (8, 0, 0, False)
    assert summary.reached == dt.datetime(2017, 1, 31, 23, tzinfo=UTC)
    assert told[0] == ("follow", 0, 8)
    assert told[-1] == ("follow", 8, 8)
    for name in NAMES:
        assert (tmp_path / "landing" / name).read_bytes() == (source / name).read_bytes()


def test_without_a_start_it_begins_with_the_first_period(source, tmp_path):
    time = Time()
    run(source, tmp_path / "landing", time, speed=DAY)
    assert time.sleeps[0] == pytest.approx(366)  # the year 2016


def test_a_stopped_run_goes_on_from_there_and_drops_nothing_twice(source, tmp_path, monkeypatch):
    landing = tmp_path / "landing"
    first = run(source, landing, Time(stop_after=2), start=dt.datetime(2017, 1, 1, 23, tzinfo=UTC))
    assert (first.dropped, first.left, first.interrupted) == (5, 3, True)
    assert first.reached == dt.datetime(2017, 1, 4, 23, tzinfo=UTC)
    assert len(lying(landing)) == 5
    copied, copy = [], module._drop
    monkeypatch.setattr(module, "_drop", lambda a, b: (copied.append(b.name), copy(a, b)))
    time = Time()
    second = run(source, landing, time)
    assert (second.dropped, second.already, second.left) == (3, 5, 0)
    assert copied == ["evt_2017-W01.geojson.gz", "meteo_2017-W02.csv.gz", "stat_2017-01.csv.gz"]
    assert time.sleeps[0] == pytest.approx(4 * DAY / 600)  # from the end of Wednesday to the end of Sunday
    third = run(source, landing, Time(stop_after=0))
    assert (third.dropped, third.already, third.interrupted) == (0, 8, False)


def test_a_slow_machine_catches_up_without_waiting(source, tmp_path):
    time = Time()
    start = dt.datetime(2020, 1, 1, tzinfo=UTC)
    assert run(source, tmp_path / "landing", time, start=start).dropped == 8
    assert time.sleeps == []


def test_no_reader_ever_sees_half_a_file(source, tmp_path, monkeypatch):
    landing, real = tmp_path / "landing", module.shutil.copyfile

    def cut(a, b):
        real(a, b)
        b.write_bytes(b.read_bytes()[:3])
        if a.name.startswith("evt"):
            raise KeyboardInterrupt
        real(a, b)

    monkeypatch.setattr(module.shutil, "copyfile", cut)
    summary = run(source, landing, Time())
    assert summary.interrupted
    assert not any(name.startswith(".") or "evt" in name for name in [p.split("/")[-1] for p in lying(landing)])
    for name in lying(landing):
        assert (landing / name).read_bytes() == (source / name).read_bytes()
    assert list(landing.rglob(".*")) == []


def test_a_partial_file_left_by_a_crash_is_replaced_and_hidden_files_are_not_dropped(source, tmp_path):
    landing = tmp_path / "landing"
    (landing / "evenements").mkdir(parents=True)
    (landing / "evenements" / ".evt_2017-W01.geojson.gz.partial").write_bytes(b"half")
    (source / "evenements" / ".hidden_2017-W01.csv").write_bytes(b"x")
    (source / "evenements" / "evt_2017-W02.csv.partial").write_bytes(b"x")
    assert run(source, landing, Time()).dropped == 8
    assert lying(landing) == sorted(NAMES)


def test_another_world_is_not_mixed_in(source, tmp_path):
    landing = tmp_path / "landing"
    (landing / "meteo").mkdir(parents=True)
    target = landing / "meteo" / "meteo_2017-W02.csv.gz"
    target.write_bytes(b"x" * (source / "meteo" / "meteo_2017-W02.csv.gz").stat().st_size)
    with pytest.raises(IntegrityError, match="another world"):
        run(source, landing, Time())
    assert lying(landing) == ["meteo/meteo_2017-W02.csv.gz"]


@pytest.mark.parametrize("speed", [0, -1, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(source, tmp_path, speed):
    with pytest.raises(ParameterError, match="speed"):
        run(source, tmp_path / "landing", Time(), speed=speed)


def test_what_cannot_be_followed_is_refused(source, tmp_path):
    with pytest.raises(ParameterError, match="no folder"):
        run(tmp_path / "nowhere", tmp_path / "landing", Time())
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParameterError, match="no file"):
        run(tmp_path / "empty", tmp_path / "landing", Time())
    for landing in (source, source / "below", source.parent):
        with pytest.raises(ParameterError, match="lie apart"):
            run(source, landing, Time())
    with pytest.raises(ParameterError, match="time zone"):
        run(source, tmp_path / "landing", Time(), start=dt.datetime(2017, 1, 1))


def test_files_without_a_period_alone_need_no_time(tmp_path):
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "territory.json").write_text("{}")
    time = Time()
    summary = run(tmp_path / "source", tmp_path / "landing", time)
    assert (summary.dropped, summary.reached, time.sleeps) == (1, None, [])


def test_an_enormous_speed_ends_time_and_nothing_else(source, tmp_path):
    time = Time()
    ticks = iter(range(100))
    summary = follow(source, tmp_path / "landing", speed=1e300, clock=lambda: float(next(ticks)), sleep=time.sleep)
    assert (summary.dropped, time.sleeps) == (8, [])
