"""Webhooks out are signed, and never go inside a network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from connector.adapters.platform.outward import Outward, is_public
from connector.adapters.platform.signing import key_of, sign
from connector.domain.errors import CrmDown, CrmRefused
from connector.ports_platform import Message

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = Message("msg_1", 1_614_265_330, b"{}")
INSIDE = (
    *("10.0.0.1", "172.16.0.1", "192.168.1.1", "127.0.0.1", "0.0.0.7", "169.254.169.254"),
    *("100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
    *("::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1%eth0"),
    *("fc00::1", "fec0::1", "ff02::1", "2002:7f00:1::", "64:ff9b::7f00:1", "2001:db8::1"),
    *("192.88.99.1", "3fff::1", "3fff:fff::1"),
)


class Receiver:
    """A place that takes webhooks, as it is told."""

    def __init__(self) -> None:
        self.took: list[tuple[str, dict[str, str], bytes]] = []
        self.answer: tuple[int, dict[str, str], bytes] = (204, {}, b"")
        self.may_answer = threading.Event()
        self.may_answer.set()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                outer.took.append((self.path, dict(self.headers.items()), body))
                outer.may_answer.wait(30)
                status, headers, text = outer.answer
                self.send_response(status)
                for name, value in {"Content-Length": str(len(text)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.may_answer.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def leading_to(*addresses: str) -> Outward:
    """Return a courier for whom every name has these addresses."""
    return Outward(allow_loopback=False, resolve=lambda _host, _port: addresses)


def test_a_signature_is_the_one_of_the_specification() -> None:
    body = b'{"test": 2432232314}'

    told = sign(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body)

    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "whsec_!", "A" * 100])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        key_of(secret)


def test_a_secret_of_ones_own_is_made_strong() -> None:
    made = Outward(allow_loopback=False).secret()

    assert len(key_of(made)) == 32


def test_a_message_is_posted_with_its_signature(receiver: Receiver) -> None:
    courier = Outward(allow_loopback=True)

    reply = courier.tell(f"{receiver.url}/in?x=1", SECRET, MESSAGE)

    [(path, headers, body)] = receiver.took
    assert (reply.status, path, body) == (204, "/in?x=1", b"{}")
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg_1", "1614265330")
    assert headers["webhook-signature"] == sign(SECRET, "msg_1", 1_614_265_330, b"{}")
    assert headers["Host"] == f"127.0.0.1:{receiver.port}"


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_goes_to_an_address_inside_a_network(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(CrmRefused, match="inside a network"):
        leading_to(address).tell("https://hooks.example/", SECRET, MESSAGE)


def test_one_address_inside_is_enough_to_refuse_a_name() -> None:
    assert "inside a network" in leading_to("93.184.216.34", "10.0.0.1").fault("https://x.example")


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1"])
def test_an_address_of_the_open_internet_is_fine(address: str) -> None:
    assert leading_to(address).fault("https://hooks.example/in") == ""


@pytest.mark.parametrize(
    "url",
    [
        *("http://hooks.example/", "ftp://hooks.example/", "https://", "hooks.example"),
        *("https://a:b@hooks.example/", "https://hooks.example/#x", "https://hooks.example:0/"),
        *("https://hooks.example:99999/", "https://[::1", "https://hooks.example/\r\nx: y"),
    ],
)
def test_an_address_that_is_none_of_https_is_refused(url: str) -> None:
    assert leading_to("93.184.216.34").fault(url)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::1]"])
def test_this_machine_is_refused_where_it_is_not_allowed(host: str, receiver: Receiver) -> None:
    for scheme in ("http", "https"):
        assert Outward(allow_loopback=False).fault(f"{scheme}://{host}:{receiver.port}/")


def test_loopback_is_allowed_without_tls_and_by_its_own_names_only(receiver: Receiver) -> None:
    courier = Outward(allow_loopback=True, resolve=lambda _host, _port: ["127.0.0.1"])

    assert courier.fault(receiver.url) == ""
    assert courier.fault(f"http://rebound.example:{receiver.port}/")
    assert courier.fault(f"https://rebound.example:{receiver.port}/")


def test_the_address_that_was_checked_is_the_one_that_is_called(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    Outward(allow_loopback=True, resolve=resolve).tell(
        f"http://localhost:{receiver.port}/", SECRET, MESSAGE
    )

    assert (asked, len(receiver.took)) == (["localhost"], 1)


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.answer = (302, {"Location": f"{receiver.url}/elsewhere"}, b"")

    reply = Outward(allow_loopback=True).tell(f"{receiver.url}/in", SECRET, MESSAGE)

    assert (reply.status, [path for path, *_ in receiver.took]) == (302, ["/in"])


def test_an_endless_answer_is_cut_off(receiver: Receiver) -> None:
    receiver.answer = (200, {"Retry-After": "7"}, b"x" * 1_000_000)

    reply = Outward(allow_loopback=True).tell(receiver.url, SECRET, MESSAGE)

    assert (reply.status, reply.retry_in) == (200, 7.0)


def test_a_place_that_does_not_answer_is_down(receiver: Receiver) -> None:
    receiver.close()

    with pytest.raises(CrmDown, match="did not answer"):
        Outward(allow_loopback=True).tell(receiver.url, SECRET, MESSAGE)


def test_a_place_that_keeps_us_waiting_is_cut_off(receiver: Receiver) -> None:
    receiver.may_answer.clear()

    with pytest.raises(CrmDown, match="did not answer"):
        Outward(allow_loopback=True, deadline=0.05).tell(receiver.url, SECRET, MESSAGE)


def test_a_name_that_nobody_looks_up_in_time_has_no_address() -> None:
    looked_up = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        looked_up.wait(30)
        return ["93.184.216.34"]

    try:
        with pytest.raises(CrmDown, match="has no address"):
            Outward(allow_loopback=False, resolve=resolve, deadline=0.05).tell(
                "https://slow.example/", SECRET, MESSAGE
            )
    finally:
        looked_up.set()
