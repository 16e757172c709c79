"""What docs/benchmarks.md says in words: what each figure means and how it is measured."""

from __future__ import annotations

from collections.abc import Mapping

HEAD = """\
# Benchmarks

<!-- Made by `make bench ARGS="--full --publish"` from docs/benchmarks/*.json. Edit bench/texts.py instead. -->

Every figure can be measured again: `make bench` takes all of them at modest sizes in under ten minutes,
`make bench ARGS="intake --pairs 5"` one, `ARGS="--full --publish"` all at the sizes shown here and writes this page,
its plots and [the JSON behind it](benchmarks/). Nothing here is a test that can fail by being slow.

How it is measured:

- Ratios are taken within one run, in back-to-back pairs, and the median counts: machines are noisy.
- Durable means on disk. SQLite runs with `synchronous=FULL`; the level is read from the product's own connection, the disk is
  probed (4 KiB write + fdatasync), and a run with less than FULL, or on a memory disk, is void and says so. Deliveries are the one
  exception in form: they are committed at NORMAL, and the log file is synchronised (fdatasync) before any of them is answered.
- Everything, the load generator and the simulated CRM included, shares two cores. Servers listen on loopback.
- After each run what was acknowledged is counted against what is stored, moved or shown in the CRM. A run that loses something
  is a failure whatever its speed.
- The load generator (`bench/load.py`) is one Python process over raw sockets, with all requests made and signed before the clock
  starts; against `wrk -t1 -c8` on the same no-op routes it saw the same rates, within the noise of the machine. Each request carries events that no other does, for what was seen before is cheaper."""

TITLES: Mapping[str, str] = {
    "intake": "Intake against a route that does nothing",
    "intake100": "The same with 100 events a request",
    "tail": "Latency while the workers drain",
    "jobs": "One drain job against one RQ job per event",
    "writes": "Write calls",
    "storm": "Single edits during an import storm",
    "growth": "Cost per event as profiles grow",
    "journeys": "Journeys and rules as history grows",
    "marked": "From a mark to everybody's score",
    "footprint": "Starting",
    "profile": "Where the time goes",
    "scorer": "Learning and scoring as rows grow",
}

METHOD: Mapping[str, str] = {
    "intake": """\
`connector web` as it is, with two more routes: `python -m bench.server` hands the same granian another factory of the same app.
*No-op* is a Flask route that reads the body and answers 204: what intake would cost if verifying, keeping and waking were
free. *Bare* answers before Flask sees the request and is printed for comparison. Sixteen keep-alive connections, closed loop, HubSpot v3
signatures; Valkey runs, no worker does. Order changes from pair to pair.""",
    "intake100": """\
HubSpot puts up to 100 events into one request. One row is kept for each request, however many events it brings.""",
    "tail": """\
All of `connector up`. Requests are due at fixed times and latency counts from then, so a server that stalls can't hide the requests
that had to wait (no coordinated omission). Ten connections. The worker splits and drains all the while; the connection
to the CRM is paused, so that no simulator eats the cores.""",
    "jobs": """\
The same events, split already, in the same kind of database, worked off by the same function. The product's worker gets one wake-up
call for all; RQ's own workers get one job for each event, which they find imported, connected and with the mapping loaded before
the first fork. Both are timed from the first event done to the last; putting jobs into the queue is not counted.""",
    "writes": """\
Our fields change on every contact at once, first by a backfill, then by an import; the simulator counts the calls. A call takes 100
records, so ceil(N/100) is the least.""",
    "marked": """\
Contacts with two months of imported journeys, at HubSpot's 110 calls in ten seconds. The fifth Customer is marked in the simulator, which sends
its webhook itself: the first model is learned and everybody else gets a first score. Timed from the mark to the last score that
the simulator is given, both by its clock.""",
    "storm": """\
Webhooks of an import (100 events each) arrive as fast as they are taken, about contacts that have never been read, while a rep edits
another contact every half second in the simulator, which sends its webhooks itself. An edit counts from the moment it is made to
the moment that the simulator is given the new slot, both by its clock. It grants HubSpot's 110 calls in ten seconds, so the storm's own
reads and writes take as long as that allows.""",
    "growth": """\
One contact is led through the product, then all its rows are copied under other names straight into the database (7 tables, done
deliveries, events and writes included). At each size, events about contacts all over the crowd are kept, split and drained in one
process. Microseconds an event; processor time is steadier than the clock's, which contains the disk.""",
    "journeys": """\
All of `connector up` on two cores, load generator included. Visitors' events come through the platform's webhook, 500 a request, signed, on four
connections; a tenth is done when no delivery and no event waits. Visitors come in any order, so each batch meets as many of them as it has
events. Fifty rules count page views within a week; three of a hundred events tell an address, and only those visitors' events are judged,
as rules act on known people only. Time by the clock contains whatever else the machine does; processor time is that of all processes of
`connector up`, the web server's and the clock's included. What profiles led to:

- people are found by their own ids: SQLite, asked for some ids of an account, walked through all that the account had (a test now
  asks for the plan of every query of a batch);
- of known visitors those are loaded for rules whose event sets a rule off, or comes late;
- Python's collector of cycles looks seldom in a worker: it went through a whole batch again and again, a fifth of all time;
- statements are built once, their rows handed to the driver in one call, and rows are fetched in one call;
- a thousand events are one transaction.

The machine of the run below was shared with other work, load 9 to 15 on its two cores, so that its rate says little: the worker, which
gives way to all else, had a third of a core. Before and after these changes, in alternating pairs on the same machine: 749 and
1,340, 628 and 1,721, 814 and 1,122 events/s (20,000 events), 498 and 1,253 (60,000).""",
    "footprint": """\
Medians. The first 204 is that of the app-wide webhook URL, which needs no account: keys, schema, Valkey and all processes come
first.""",
    "profile": """\
Under cProfile, in one process, per event; the profiler makes small functions look dearer than they are. What such profiles led to:

- a delivery is written together with those that came meanwhile, and handed to SQLite's driver as a finished statement;
- the wait for the disk is outside of the database's lock, and taking or dropping a lease waits for no disk;
- Redis is told from a thread of its own: one signal cost as much as the row;
- a record is replayed once a batch, not twice, and what the mapping's rows and fields mean is gathered once a version:
  a drain's processor time fell by 30 %;
- splitting looks for floods in one index instead of reading back through all kept events;
- workers run at a lower priority than what answers webhooks;
- webhooks are answered before Flask builds its request, and an insert is one call into a driver held open (ADR 0013): intake's
  processor time went from 560 to 300 microseconds a request.

What is left of intake is SQLite's insert (pages written for the row and its unique key), the kernel's network and disk, and Python's lock
passed around between threads, each about a fifth.""",
    "scorer": """\
`scorer` alone, each size in a process of its own, `OMP_NUM_THREADS=1`. The matrix is made up, sparse and built before the clock starts
(made-up truth is linear, so its AUC says nothing of real leads); training is all that a fit does with it: levels, held-out parts, four members,
calibration. Bars are held against processor time, which other work on the machine does not stretch; the wall clock stands beside it.
*In words* makes the CRM's sentence as well. Features from event logs are timed apart: ten events a profile, up to six landmark rows each.""",
}
