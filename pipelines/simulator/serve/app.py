"""This module is the web application: what the venue serves at which address."""

import asyncio
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from pipelines.simulator.serve.answers import answer, kind_of
from pipelines.simulator.serve.bodies import LARGEST, BadBody, NoAnswer
from pipelines.simulator.serve.faults_http import Plan, spoilt
from pipelines.simulator.serve.limits import weight_of, weight_of_answer
from pipelines.simulator.serve.service import Service
from pipelines.simulator.serve.sockets import talk

# What the venue sends with these is not documented; its clients take null for nothing.
_NOTHING = b"null"


def make_app(service: Service) -> Starlette:
    """Return the application that answers for a service."""

    async def info(request: Request) -> Response:
        return await _struck(request, service, _info)

    async def board(request: Request) -> Response:
        return await _struck(request, service, _board)

    async def socket(websocket: WebSocket) -> None:
        await talk(websocket, service)

    return Starlette(
        routes=[
            Route("/info", info, methods=["POST"]),
            Route("/leaderboard", board, methods=["GET"]),
            Route("/Mainnet/leaderboard", board, methods=["GET"]),
            WebSocketRoute("/ws", socket),
        ]
    )


async def _struck(request: Request, service: Service, respond: Any) -> Response:
    """Answer a request, or fail as the faults have it."""
    plan = service.faults.next()
    if plan.has("storms"):
        return _json(_NOTHING, 429)
    if plan.has("errors"):
        return _json(_NOTHING, 500)
    response = await respond(request, service, plan)
    if plan.has("timeouts"):
        try:
            await asyncio.wait_for(_gone(request, service), service.hang)
        except TimeoutError:
            return response
    cut = max(1, int(plan.struck.get("truncated", 1.0) * len(response.body)))
    if cut < len(response.body):
        response = _json(bytes(response.body[:cut]), response.status_code)
    if plan.has("cuts"):
        return _Cut(response, plan.struck["cuts"])
    return response


async def _info(request: Request, service: Service, plan: Plan) -> Response:
    try:
        body = orjson.loads(await _body(request))
        kind = kind_of(body)
        who = request.client.host if request.client else ""
        if not service.weights.take(who, weight_of(kind)):
            return _json(_NOTHING, 429)
        # In a thread: many fills take a while, and others want their answers.
        value = (await asyncio.to_thread(answer, service.venue, body)).value
    except _TooLarge:
        return PlainTextResponse("length limit exceeded", 413)
    except ClientDisconnect:
        return Response(status_code=400)  # nobody is there to read it
    except NoAnswer:
        return _json(_NOTHING, 500)
    except (BadBody, orjson.JSONDecodeError):
        return PlainTextResponse(str(BadBody()), 422)
    service.weights.add(who, weight_of_answer(kind, value))
    return _json(orjson.dumps(spoilt(value, plan)))


async def _board(request: Request, service: Service, plan: Plan) -> Response:
    text = await service.board()
    if plan.struck:
        text = orjson.dumps(spoilt(orjson.loads(text), plan))
    return _json(text)


class _TooLarge(ValueError):
    """A body of more bytes than are read."""


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST:
            raise _TooLarge
    return bytes(body)


async def _gone(request: Request, service: Service) -> None:
    """Wait until the client has left, or the server is about to."""
    while not (service.ends() or await request.is_disconnected()):
        await asyncio.sleep(0.05)


def _json(text: bytes, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")


class _Cut(Response):
    """A response whose connection is closed before its body is whole."""

    def __init__(self, whole: Response, where: float) -> None:
        super().__init__(whole.body, whole.status_code, media_type=whole.media_type)
        self._sent = int(where * len(whole.body))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Announce the whole body and send less: the server then closes the connection."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        part = bytes(self.body[: self._sent])
        await send({"type": "http.response.body", "body": part, "more_body": True})
