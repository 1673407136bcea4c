"""The client side, the same for everybody and as cheap as it can be: a file's pages go to the socket by sendfile(2)."""

import os
import socket
import threading

CHUNK = 1 << 20
END_OF_CHUNKS = b"0\r\n\r\n"
SECONDS = 900


class SendFailed(Exception):
    """The peer did not take it, or answered that it failed."""


def connect(port, host="127.0.0.1"):
    made = socket.create_connection((host, port), timeout=SECONDS)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def send_range(connection, file, begin, end):
    """Bytes begin to end of the file, without copying them here."""
    while begin < end:
        begin += os.sendfile(connection.fileno(), file.fileno(), begin, end - begin)


def send_head(connection, text):
    """A few bytes that go out together with what follows them."""
    connection.sendall(text, socket.MSG_MORE)


def send_chunked(connection, path, begin, end):
    """The part of a file as an HTTP body in chunks of 1 MiB."""
    with open(path, "rb") as file:
        connection.settimeout(None)  # sendfile wants a blocking socket
        line_end = b""
        while begin < end:
            size = min(CHUNK, end - begin)
            send_head(connection, b"%s%x\r\n" % (line_end, size))
            send_range(connection, file, begin, begin + size)
            begin, line_end = begin + size, b"\r\n"
        connection.sendall(line_end + END_OF_CHUNKS)
        connection.settimeout(SECONDS)


class Reply:
    def __init__(self, status, body):
        self.status, self.body = status, body


def read_reply(connection):
    """The reply to one request: by Content-Length, in chunks, or up to the end. Interim replies are left out."""
    text = b""
    while True:
        while b"\r\n\r\n" not in text:
            text += more(connection)
        head, _, text = text.partition(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status >= 200:
            break
    fields = {name.strip().lower(): value.strip()
              for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])}
    if b"content-length" in fields:
        while len(text) < int(fields[b"content-length"]):
            text += more(connection)
    elif fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        while not text.endswith(b"0\r\n\r\n"):
            text += more(connection)
    elif status not in (204, 304):
        while piece := connection.recv(65536):
            text += piece
    return Reply(status, text)


def more(connection):
    piece = connection.recv(65536)
    if not piece:
        raise SendFailed("the connection was closed before a reply")
    return piece


def put(port, head, path, begin, end):
    """One chunked request over a connection of its own; head: request line and fields, no blank line."""
    with connect(port) as connection:
        try:
            connection.sendall(head.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
            send_chunked(connection, path, begin, end)
        except OSError as error:  # it may have said why before it closed
            try:
                reply = read_reply(connection)
                raise SendFailed(f"{reply.status} {reply.body[:300].decode(errors='replace')}") from None
            except OSError:
                raise SendFailed(str(error)) from None
        reply = read_reply(connection)
    if reply.status not in (200, 201, 204):
        raise SendFailed(f"{reply.status} {reply.body[:500].decode(errors='replace')}")
    return reply


def put_in_parallel(requests):
    """Several `put` at once, a thread each (what they do is wait in system calls); raises the first that failed."""
    failures, replies = [], [None] * len(requests)

    def one(number, words):
        try:
            replies[number] = put(*words)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=one, args=(number, words)) for number, words in enumerate(requests)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return replies


class Source:
    """An HTTP server with one file behind every path, in chunks: for peers that pull."""

    def __init__(self, path, size, port=0):
        self.path, self.size = path, size
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        try:
            with connection:
                text = b""
                while True:
                    while b"\r\n\r\n" not in text:
                        text += more(connection)
                    request, _, text = text.partition(b"\r\n\r\n")
                    if request.startswith(b"HEAD"):
                        connection.sendall(head)
                        continue
                    send_head(connection, head)
                    send_chunked(connection, self.path, 0, self.size)
        except (OSError, SendFailed):
            pass  # it has what it wanted, or it will say that it has not

    def close(self):
        self.listener.close()
