"""This module speaks with WebSocket clients."""

import asyncio

from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from pipelines.simulator.serve.bodies import BadBody
from pipelines.simulator.serve.limits import CONNECTIONS, SUBSCRIPTIONS
from pipelines.simulator.serve.service import Client, Service
from pipelines.simulator.serve.subscriptions import (
    PONG,
    Request,
    confirmation,
    error_of,
    first_message,
    message,
    parse_request,
    refusal,
)

_POLICY = 1008  # the protocol's code for a client that breaks rules


async def talk(websocket: WebSocket, service: Service) -> None:
    """Speak with one client until it leaves, is silent for too long, or breaks a limit."""
    client = Client(websocket.client.host if websocket.client else "")
    full = service.connections(client.who) >= CONNECTIONS
    if full or not service.new_connections.take(client.who):
        await websocket.send_denial_response(Response(status_code=429))
        return
    service.clients.add(client)
    try:
        await websocket.accept()
        sender = asyncio.create_task(_send(websocket, client, service.silence))
        try:
            await _listen(websocket, client, service)
        finally:
            sender.cancel()
            await asyncio.wait([sender])
    finally:
        service.clients.discard(client)


async def _send(websocket: WebSocket, client: Client, silence: float) -> None:
    """Send what waits for a client; close when there was nothing for too long."""
    try:
        while True:
            text = await asyncio.wait_for(client.unsent.get(), silence)
            if text is None:
                await websocket.close(_POLICY)
                return
            await websocket.send_text(text.decode())
    except TimeoutError:
        await websocket.close()
    except (WebSocketDisconnect, RuntimeError):
        return  # the client has gone; whoever listens to it notices too


async def _listen(websocket: WebSocket, client: Client, service: Service) -> None:
    while True:
        received = await websocket.receive()
        if received["type"] == "websocket.disconnect":
            return
        text = received.get("text")
        text = received["bytes"] if text is None else text
        if not service.messages.take(client.who):
            client.tell(message("error", "Too many messages"))
            client.tell(None)
            continue
        try:
            request = parse_request(text)
        except BadBody:
            client.tell(error_of(text))
            continue
        if request.topic is None:
            client.tell(PONG)
        else:
            _change(client, request, service)


def _change(client: Client, request: Request, service: Service) -> None:
    """Begin or end a subscription; without a pause, in which a minute could go by untold."""
    topic = request.topic
    if request.method == "unsubscribe":
        if topic not in client.topics:
            client.tell(refusal("Already unsubscribed", topic))
            return
        del client.topics[topic]
        client.tell(confirmation(request))
        return
    venue = service.venue
    if topic.coin is not None and topic.coin not in venue.listing.coin_of:
        client.tell(refusal("Invalid subscription", topic))
    elif topic in client.topics:
        client.tell(refusal("Already subscribed", topic))
    elif service.subscriptions(client.who) >= SUBSCRIPTIONS:
        client.tell(refusal("Too many subscriptions", topic))
    else:
        client.topics[topic] = None
        client.tell(confirmation(request))
        if (first := first_message(venue, topic)) is not None:
            client.tell(first)
