"""`python -m bench.rqworker Worker`: RQ's own worker, as its documentation starts it.

Everything is imported and the database is looked at before the first fork, so that no job pays
for that; connections are not carried over a fork.
"""

from __future__ import annotations

import sys

import rq
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from bench import jobs
from bench.house import ACCOUNT
from connector import bootstrap, logs
from connector.runtime import lifeline
from connector.settings import current


def main(kind: str) -> None:
    """Work until nothing is left."""
    lifeline.hold()
    settings = current()
    logs.configure(settings)
    services = bootstrap.services()
    with services.store.reading() as unit:
        unit.lookups(ACCOUNT)
    services.store.database.close()
    with Redis.from_url(settings.redis_url) as redis:
        queue = Queue(jobs.QUEUE, connection=redis, serializer=JSONSerializer)
        worker = getattr(rq, kind)([queue], connection=redis, serializer=JSONSerializer)
        worker.work(burst=True, logging_level="WARNING")


if __name__ == "__main__":
    main(sys.argv[1])
