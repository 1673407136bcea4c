"""nginx: the same chunked PUT of the same bytes into a file. It parses nothing and syncs nothing."""

import os
import shutil

import sender
from digest import Digest, digest_of_file
from peers import base

CONFIG = """
daemon off;
{user}
worker_processes {threads};
pid {folder}/pid;
error_log {folder}/error.log warn;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_buffer_size 1m;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi; uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{ root {folder}/files; dav_methods PUT; create_full_put_path on; }}
  }}
}}
"""


class Nginx(base.Peer):
    name, title = "nginx", "nginx DAV PUT (no parse, no sync)"
    store = False

    def __init__(self, setting):
        super().__init__(setting)
        self.program, self.process, self.port, self.environment = None, None, 0, None
        self.file = os.path.join(self.folder, "files", "rows")

    def available(self):
        self.program = shutil.which("nginx") or ("/usr/sbin/nginx" if os.path.exists("/usr/sbin/nginx") else None)
        if not self.program:
            unpacked = os.path.join(self.setting.downloads, "nginx")
            base.debian_packages(unpacked, "nginx")
            self.program, self.environment = os.path.join(unpacked, "usr", "sbin", "nginx"), base.library_path(unpacked)
        self.version = base.run_quietly(["sh", "-c", f"'{self.program}' -v 2>&1"], "nginx -v", env=self.environment).strip().rpartition("/")[2]

    def prepare(self):
        os.makedirs(os.path.join(self.folder, "files"), exist_ok=True)
        self.port = self.setting.port()
        config, log = os.path.join(self.folder, "nginx.conf"), self.folder + ".log"
        with open(config, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(folder=self.folder, threads=base.THREADS, port=self.port,
                                     user="user root root;" if os.getuid() == 0 else ""))
        self.process = base.start([self.program, "-p", self.folder, "-c", config, "-e", os.path.join(self.folder, "error.log")], log,
                                  env=self.environment)
        base.wait_for(self.answers, self.process, log)

    def answers(self):
        try:
            sender.connect(self.port).close()
            return True
        except OSError:
            return False

    def pids(self):
        return base.family(self.process.pid) if self.process else []

    def load(self, rows):
        head = f"PUT /rows HTTP/1.1\r\nHost: 127.0.0.1:{self.port}"
        return self.timed(lambda: sender.put(self.port, head, rows.path, 0, rows.bytes))

    def check(self, rows):
        if not os.path.exists(self.file):
            return Digest(0, 0, 0)
        return digest_of_file(self.file, rows.form, rows.key, rows.schema.index[rows.key])

    def drop(self, rows):
        os.unlink(self.file)

    def stop(self):
        base.end(self.process)
        self.process = None
