"""What a campaign runs on: the twin, the servers and the product, set up and taken down."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from simulators.hubspot.testing import Twin
from soak.campaign import Campaign, Plan
from soak.installation import Installation
from soak.servers import Postgres, Valkey
from soak.walk import prepare
from soak.workload import Workload

SECRET = "soak-app-secret"
RETRIES = [0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 15.0, 30.0, 60.0]
# SQLite's log may take 32 MB of it, and /readyz asks for 64; PostgreSQL begins with 40.
DISK = {"sqlite": "192m", "postgres": "256m"}


@contextmanager
def staged(plan: Plan, say: Callable[[str], object]) -> Iterator[Campaign]:
    """Set everything up for a campaign, and take it all down afterwards."""
    with ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bnb-soak-"))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        folder.chmod(0o711)
        (folder / "data").mkdir(mode=0o700)

        def room(place: Path) -> bool:
            if plan.disk == "real" or not _mount(place, DISK[plan.database]):
                return False
            stack.callback(_run, "umount", "-l", str(place))
            return True

        small = plan.database == "sqlite" and room(folder / "data")
        twin = stack.enter_context(
            Twin(client_secret=SECRET, limit=1000, token_seconds=120, retry_delays=RETRIES)
        )
        settings: dict[str, str] = {}
        postgres = valkey = None
        if plan.database == "postgres":
            postgres = Postgres(folder / "postgres", room)
            small = postgres.is_small
            stack.callback(postgres.close)
            postgres.start()
            postgres.make_database()
            settings["CONNECTOR_DATABASE_URL"] = postgres.url
        if plan.through == "procfile":
            valkey = Valkey(folder / "valkey")
            stack.callback(valkey.close)
            valkey.start()
            settings.setdefault("CONNECTOR_DATABASE_URL", f"sqlite:///{folder}/data/connector.db")
            settings["CONNECTOR_REDIS_URL"] = valkey.url
            settings["CONNECTOR_SECRET_KEYS"] = base64.urlsafe_b64encode(os.urandom(32)).decode()
        own = Installation(folder, plan.through, settings)
        stack.callback(own.close)
        work = Workload(twin, own, plan.seed)
        found = Campaign(plan, folder, twin, own, work, valkey, postgres, small_disk=small, say=say)
        stack.callback(_keep_log, folder, found)
        _connect(found)
        stack.callback(found.over.set)
        stack.callback(found.walking.close)
        yield found


def _connect(campaign: Campaign) -> None:
    own = campaign.own
    if own.through == "procfile" and own.migrate():
        raise RuntimeError("the migration failed")
    if not own.ensure():
        raise RuntimeError("the product does not start")
    account = own.command("account", "create", "Soak")
    own.token = account["api_token"]
    campaign.account = account["account_id"]
    connect_twin(campaign)
    plan = campaign.plan
    campaign.walk = prepare(own, campaign.account, RETRIES, plan.seed, plan.visits)
    own.command("install", campaign.connection, "--apply")
    campaign.twin.settings(target=campaign.webhook, signed_url=campaign.webhook)


def connect_twin(campaign: Campaign) -> None:
    """Connect the twin's portal, or connect it anew."""
    secrets = {
        "refresh_token": "twin-refresh",
        "client_id": "twin-client",
        "client_secret": SECRET,
    }
    words = ("connect", "hubspot", "--account", campaign.account, "--portal-id", "4242")
    where = ("--app-id", "1001", "--api-url", campaign.twin.url, "--secrets", "-")
    campaign.connection = campaign.own.command(*words, *where, told=secrets)["connection_id"]


def _mount(folder: Path, size: str) -> bool:
    return _run("mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder))


def _run(*command: str) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _keep_log(folder: Path, campaign: Campaign) -> None:
    """Keep the product's log where something was found."""
    if campaign.findings:
        kept = Path(tempfile.gettempdir()) / f"{folder.name}.log"
        shutil.copy(folder / "product.log", kept)
        details = [line for one in campaign.verdicts for line in one.details]
        kept.with_suffix(".stories").write_text("\n".join(details))
        campaign.say(f"the product's log is in {kept}, the stories of who diverged beside it")
