import io
import re
import threading

import pytest

from runners.display.progress import LiveProgress, LogProgress, Stage, describe, duration, progress_on


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_a_log_gets_few_plain_lines_with_the_time():
    stream, clock = io.StringIO(), Clock()
    with LogProgress(stream, seconds=5, clock=clock) as progress:
        for second in range(21):
            clock.now = float(second)
            progress("extract", done=second * 10, total=400)
        progress("extract", done=400, total=400, dead_letters=2, ended=True)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 6  # at 0, 5, 10, 15, 20 seconds and at the end
    assert all(re.match(r"\d\d:\d\d:\d\d  extract ", line) for line in lines)
    assert "50 of 400  10.0/s  35 s left" in lines[1]
    assert lines[-1].endswith("400  20.0/s  done in 20 s  2 dead letters")
    assert "\x1b" not in stream.getvalue()


def test_a_log_is_silent_while_nothing_moves():
    stream, clock = io.StringIO(), Clock()
    with LogProgress(stream, seconds=1, clock=clock) as progress:
        for second in range(100):
            clock.now = float(second)
            progress("read", done=7)
    assert len(stream.getvalue().splitlines()) == 1


def test_every_stage_has_its_own_lines():
    stream, clock = io.StringIO(), Clock()
    with LogProgress(stream, seconds=60, clock=clock) as progress:
        progress("read", done=1)
        progress("extract", done=0)
        progress("read", done=2, ended=True)
    assert [line.split()[1] for line in stream.getvalue().splitlines()] == ["read", "extract", "read"]


def test_a_late_count_does_not_turn_the_progress_back():
    stream, clock = io.StringIO(), Clock()
    with LogProgress(stream, seconds=0, clock=clock) as progress:
        progress("read", done=50)
        progress("read", done=40)
        progress("read", done=50, ended=True)
    assert [line.split()[2] for line in stream.getvalue().splitlines()] == ["50", "50"]


def test_threads_may_report_together():
    stream = io.StringIO()
    with LogProgress(stream, seconds=0) as progress:

        def work(step):
            for number in range(200):
                progress("extract", done=number * 4 + step)

        threads = [threading.Thread(target=work, args=(step,)) for step in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    done = [int(line.split()[2]) for line in stream.getvalue().splitlines()]
    assert done == sorted(done)
    assert done[-1] == 799


def test_a_terminal_gets_a_live_line_per_stage():
    stream, clock = Terminal(), Clock()
    with LiveProgress(stream, clock=clock) as progress:
        progress("read", done=3)
        clock.now = 2.0
        progress("read", done=10, ended=True)
        progress("extract", done=5, total=10, dead_letters=1)
    text = stream.getvalue()
    assert "\x1b[" in text
    assert "10  5.0/s  done in 2.0 s" in text
    assert "5 of 10" in text
    assert "1 dead letter" in text


def test_the_stream_decides():
    assert isinstance(progress_on(io.StringIO()), LogProgress)
    assert isinstance(progress_on(Terminal()), LiveProgress)


def test_nothing_done_has_no_rate_and_no_end():
    assert describe(Stage("merge", started=5.0), now=5.0).split() == ["merge", "0"]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.04, "0.0 s"), (9.96, "10.0 s"), (58.4, "58 s"), (59.7, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_read_well(seconds, said):
    assert duration(seconds) == said
