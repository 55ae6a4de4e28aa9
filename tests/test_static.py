"""dashboard/static.py: small on the wire, compressed once, and untouched where it must not be."""

from __future__ import annotations

import asyncio
import gzip
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from dashboard import static
from dashboard.static import Compressed

SCRIPT = b"let a = 1;\n" * 1_000
GZIP = {"Accept-Encoding": "gzip, br"}
PLAIN = {"Accept-Encoding": "identity"}


class Files:
    """An application that serves one answer and counts how often it was asked."""

    def __init__(self, content: bytes = SCRIPT, kind: str = "text/javascript; charset=utf-8", **more: Any) -> None:
        self.content, self.kind, self.more = content, kind, more

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await Response(self.content, media_type=self.kind, **self.more)(scope, receive, send)


def get(app: Compressed, path: str, headers: dict[str, str], method: str = "GET") -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as browser:
            return await browser.request(method, path, headers=headers)

    return asyncio.run(ask())


@pytest.mark.parametrize("path", ["/assets/live.js", "/_dash-component-suites/dash/dcc.js", "/_dash-layout"])
def test_scripts_go_over_the_wire_compressed_and_arrive_whole(path: str) -> None:
    answer = get(Compressed(Files()), path, GZIP)
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(SCRIPT) / 20
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == SCRIPT


def test_the_same_file_is_compressed_once_however_often_it_is_asked_for() -> None:
    app = Compressed(Files())
    for number in range(5):
        get(app, f"/assets/live.js?m={number}", GZIP)
    assert app.compressions == 1


def test_a_file_that_changed_is_compressed_anew() -> None:
    files = Files()
    app = Compressed(files)
    get(app, "/assets/live.js", GZIP)
    files.content = SCRIPT + b"let b;"
    assert get(app, "/assets/live.js", GZIP).content == files.content
    assert app.compressions == 2


def test_who_cannot_unpack_gets_the_plain_file() -> None:
    answer = get(Compressed(Files()), "/assets/live.js", PLAIN)
    assert "content-encoding" not in answer.headers
    assert answer.content == SCRIPT


@pytest.mark.parametrize(
    ("path", "files"),
    [
        ("/", Files()),
        ("/signin", Files()),
        ("/live/state", Files()),
        ("/assets/tiny.js", Files(b"let a;")),
        ("/assets/photo.png", Files(kind="image/png")),
        ("/assets/packed.js", Files(gzip.compress(SCRIPT), headers={"Content-Encoding": "gzip"})),
        ("/assets/missing.js", Files(status_code=404)),
    ],
)
def test_what_is_personal_small_packed_already_or_an_error_passes_untouched(path: str, files: Files) -> None:
    app = Compressed(files)
    get(app, path, GZIP)
    assert app.compressions == 0


def test_an_etag_says_that_the_bytes_are_another_form_of_the_same() -> None:
    answer = get(Compressed(Files(headers={"ETag": '"abc"'})), "/assets/live.js", GZIP)
    assert answer.headers["etag"] == 'W/"abc"'


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(static, "MOST_BYTES", 200)
    files = Files()
    app = Compressed(files)
    for number in range(20):
        files.content = SCRIPT + str(number).encode()
        get(app, "/assets/live.js", GZIP)
        assert app._bytes <= 200
    assert app.compressions == 20
