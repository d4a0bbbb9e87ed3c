"""A client of aioquic: quic.py URL CA WHAT...; each WHAT is a step, and what came is printed."""

import asyncio
import ssl
import sys
from urllib.parse import urlsplit

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic import events
from aioquic.quic.configuration import QuicConfiguration


class Client(QuicConnectionProtocol):
    h3 = None

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.came = asyncio.Event()

    def quic_event_received(self, event):
        if isinstance(event, (events.DatagramFrameReceived, events.ConnectionTerminated)):
            self.came.set()
        elif isinstance(event, events.StreamDataReceived) and event.end_stream:
            self.came.set()
        if isinstance(event, events.StreamDataReceived) and self.h3 is None:
            print(f"stream {event.stream_id}: {event.data!r} {event.end_stream}", flush=True)
        elif isinstance(event, events.DatagramFrameReceived):
            print(f"datagram: {event.data!r}", flush=True)
        elif isinstance(event, events.ConnectionTerminated):
            print(f"terminated: {event.error_code} {event.reason_phrase!r}", flush=True)
        if self.h3 is not None:
            for part in self.h3.handle_event(event):
                if isinstance(part, HeadersReceived):
                    print(f"headers: {dict(part.headers)[b':status'].decode()}", flush=True)
                elif isinstance(part, DataReceived):
                    print(f"data: {part.data!r}", flush=True)


async def step(client, what):
    """Does it, and waits for an answer where there may be one."""
    name, _, rest = what.partition("=")
    quic = client._quic
    client.came.clear()
    waits = name in ("write", "get", "datagram")
    if name == "write":
        stream, _, text = rest.partition(",")
        quic.send_stream_data(int(stream), text.encode(), end_stream=True)
        # Nobody answers by a stream that goes one way.
        waits = int(stream) & 2 == 0
    elif name == "reset":
        quic.send_stream_data(0, b"abc")
        client.transmit()
        await asyncio.sleep(0.05)
        quic.reset_stream(0, int(rest))
    elif name == "stop":
        quic.send_stream_data(0, b"abc")
        client.transmit()
        await asyncio.sleep(0.05)
        quic.stop_stream(0, int(rest))
    elif name == "datagram":
        quic.send_datagram_frame(rest.encode())
    elif name == "get":
        client.h3 = H3Connection(quic)
        stream = quic.get_next_available_stream_id()
        names = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", rest.encode())]
        client.h3.send_headers(stream, names, end_stream=True)
    elif name == "close":
        quic.close(error_code=int(rest), reason_phrase="as told")
    client.transmit()
    try:
        async with asyncio.timeout(2 if waits else 0.1):
            await client.came.wait()
    except TimeoutError:
        pass


async def main(where, ca, *steps):
    where = urlsplit(where)
    options = dict(s.split("=", 1) for s in steps if s.startswith(("alpn=", "name=", "versions=", "trust=")))
    steps = [s for s in steps if s.partition("=")[0] not in ("alpn", "name", "versions", "trust")]
    config = QuicConfiguration(is_client=True, alpn_protocols=options.get("alpn", "sockeye").split(","))
    config.max_datagram_frame_size = 65536
    config.server_name = options.get("name", "localhost")
    if options.get("trust") == "nobody":
        config.verify_mode = ssl.CERT_NONE
    else:
        config.load_verify_locations(cafile=ca)
    if "versions" in options:
        config.supported_versions = [int(v, 0) for v in options["versions"].split(",")]
        config.original_version = config.supported_versions[0]
    try:
        async with asyncio.timeout(5):
            async with connect(where.hostname, where.port, configuration=config, create_protocol=Client) as client:
                for what in steps:
                    await step(client, what)
    except (ConnectionError, TimeoutError) as error:
        print(f"failed: {type(error).__name__}", flush=True)


asyncio.run(main(*sys.argv[1:]))
